"""Members of kind ``control``: values of a deck that can be differentiated and fitted to data."""
