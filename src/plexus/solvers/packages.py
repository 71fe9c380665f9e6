"""External packages of the PETSc in use: probed once, named when one is missing."""

from __future__ import annotations

from functools import lru_cache

from plexus.errors import InputError
from plexus.solvers.target import Target

PROBED = ("hypre", "mumps", "superlu_dist", "superlu", "umfpack", "cholmod", "ml", "pastix", "strumpack")


@lru_cache
def available() -> frozenset[str]:
    """Return those of the probed packages that this PETSc has."""
    from petsc4py import PETSc

    # UMFPACK and CHOLMOD come with SuiteSparse, which is the name that PETSc knows.
    petsc_name = {"umfpack": "suitesparse", "cholmod": "suitesparse"}
    return frozenset(p for p in PROBED if PETSc.Sys.hasExternalPackage(petsc_name.get(p, p)))


def require(package: str, target: Target, instead: str) -> None:
    """Raise InputError when ``package`` is missing; ``instead`` names what can replace it."""
    if package not in target.packages:
        have = ", ".join(sorted(target.packages)) or "no external package"
        raise InputError(
            f"solver.{target.name}.preconditioner: this PETSc was built without {package} (it has {have}); "
            f"use {instead}"
        )
