"""Linear systems A u = b as the equations of one unknown."""
