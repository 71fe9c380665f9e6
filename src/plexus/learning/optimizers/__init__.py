"""Members of kind ``optimizer``: how a training moves the variables."""
