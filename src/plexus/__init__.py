"""Plexus: parallel PETSc solvers coupled with learned parts, driven by one YAML deck."""

__version__ = "0.1.0"
