"""Incomplete LU factorisation ILU(k) of each rank's block (block Jacobi between ranks).

For non-symmetric systems; the number of iterations grows with the number of ranks and unknowns.
"""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Field, Params
from plexus.protocols import OptionValue
from plexus.registry import register
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "ilu", "levels": 1}


class IluParams(Params):
    """Parameters of ILU(k)."""

    levels: int = Field(0, ge=0, le=10, description="levels of fill-in k")


@register("preconditioner", "ilu", IluParams)
class Ilu(PreconditionerBase):
    """PCILU inside PCBJACOBI, so that the same deck runs on any number of ranks."""

    factorisation = "ilu"

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options."""
        return {
            "pc_type": "bjacobi",
            "sub_ksp_type": "preonly",
            "sub_pc_type": self.factorisation,
            "sub_pc_factor_levels": self.params.levels,
        }
