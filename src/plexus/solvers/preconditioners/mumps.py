"""MUMPS: parallel multifrontal LU or LDLᵀ factorisation, usually below ``ksp: preonly``.

LDLᵀ takes half the memory and needs a symmetric matrix. P. R. Amestoy, I. S. Duff, J.-Y. L'Excellent,
J. Koster, SIAM J. Matrix Anal. Appl. 23 (2001) 15, doi:10.1137/S0895479899358194.
"""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Field, Params
from plexus.protocols import OptionValue
from plexus.registry import register
from plexus.solvers.packages import require
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "mumps", "symmetric": False}


class MumpsParams(Params):
    """Parameters of MUMPS; its ICNTL and CNTL through ``options`` as ``mat_mumps_icntl_14`` and so on."""

    symmetric: bool = Field(False, description="factorise as LDLᵀ; the matrix must be symmetric")
    workspace_percent: int = Field(
        30, ge=0, le=1000, description="memory beyond MUMPS's own estimate (ICNTL 14)"
    )
    null_pivots: bool = Field(
        False, description="set pivots that vanish aside, for motions that nothing holds (ICNTL 24)"
    )


@register("preconditioner", "mumps", MumpsParams)
class Mumps(PreconditionerBase):
    """PCLU or PCCHOLESKY through MUMPS."""

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options."""
        require("mumps", target, "'lu', which takes any package")
        return {
            "pc_type": "cholesky" if self.params.symmetric else "lu",
            "pc_factor_mat_solver_type": "mumps",
            "mat_mumps_icntl_14": self.params.workspace_percent,
            "mat_mumps_icntl_24": int(self.params.null_pivots),
        }
