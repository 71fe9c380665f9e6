"""Members of kind ``reconstruction``: values on both sides of every face from the means of cells."""
