"""The door's calls, one module per noun."""
