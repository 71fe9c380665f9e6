"""Members of kind ``stage``: parts of a training, one after the other, on the same weights."""
