"""From a submitted notebook to marks. `engine/` is pure (no Django), `exchange/` is nbgrader's plugin, the rest is the Django app."""
