"""Pages of those who learn, and of those who follow them; one module per page."""
