"""Members of kind ``data``: what a training learns from."""
