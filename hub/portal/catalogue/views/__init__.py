"""Pages of the catalogue and of those who open sessions; one module per page."""
