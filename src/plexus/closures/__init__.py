"""Members of kind ``closure``: what stands for the scales and moments that a model does not carry."""
