"""Sparse LU factorisation: a direct solve, usually below ``ksp: preonly``.

Robust for any invertible matrix and the default for small problems; memory grows like n log n in two and
n^(4/3) in three dimensions. PETSc's own factorisation works on one rank and does not change pivots, which
suits elliptic equations; in two dimensions it takes half the time of MUMPS with the ordering of
P. R. Amestoy, T. A. Davis, I. S. Duff, SIAM J. Matrix Anal. Appl. 17 (1996) 886,
doi:10.1137/S0895479894278952.
"""

from __future__ import annotations

from typing import Any, Literal

from plexus.deck.params import Field, Params
from plexus.errors import InputError
from plexus.protocols import OptionValue
from plexus.registry import register
from plexus.solvers.packages import require
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "lu", "package": "auto"}

PARALLEL = ("mumps", "superlu_dist", "strumpack", "pastix")
"""Packages that factorise distributed matrices, in order of preference."""


class LuParams(Params):
    """Parameters of a direct solve."""

    package: Literal["auto", "petsc", "mumps", "superlu_dist", "umfpack", "strumpack"] = Field(
        "auto",
        description="who factorises; auto takes the first that this PETSc has and the rank count allows",
    )


@register("preconditioner", "lu", LuParams)
class Lu(PreconditionerBase):
    """PCLU with the chosen package."""

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options."""
        package = self.params.package
        if package == "auto":
            package = choose(target)
        elif package != "petsc":
            require(package, target, "'package: auto'")
        return {"pc_type": "lu", "pc_factor_mat_solver_type": package} | _ordering(package, target)


def _ordering(package: str, target: Target) -> dict[str, OptionValue]:
    """Return minimum degree where it fills less than nested dissection, PETSc's default, and is there."""
    fits = package == "petsc" and target.dim < 3 and "cholmod" in target.packages
    return {"pc_factor_mat_ordering_type": "amd"} if fits else {}


def choose(target: Target) -> str:
    """Return the best package for the number of ranks.

    Raises
    ------
    InputError
        If the matrix is distributed and no parallel package is there.
    """
    found = next((p for p in PARALLEL if p in target.packages), None)
    if found is None and target.ranks > 1:
        raise InputError(
            f"solver.{target.name}.preconditioner: a direct solve on {target.ranks} ranks needs one of "
            f"{', '.join(PARALLEL)} in PETSc; use 'gamg', or one rank"
        )
    return found or "petsc"
