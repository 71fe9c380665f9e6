"""Members of kind ``riemann``: one flux from the values on both sides of a face."""
