"""Multigrid on aggregates of a matrix: hierarchy, bounds, cycles, and the preconditioner that PETSc calls."""
