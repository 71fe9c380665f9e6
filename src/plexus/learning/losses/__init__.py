"""Members of kind ``loss``: what a training makes small."""
