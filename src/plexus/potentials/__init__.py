"""Members of kind ``potential``: energy of a body at finite strain, as a function of F = I + ∇u."""
