"""Multigrid on aggregates of a matrix: hierarchy, bounds, cycles, and the preconditioner that PETSc calls."""

POSITIONS = "plexus_positions"
"""Name of the vector of cells, d whole numbers for each own block, that a matrix on a grid carries."""
