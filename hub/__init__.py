"""People and delivery: `portal/` is ours (Django), `jupyter/` is what JupyterHub and Jupyter import."""
