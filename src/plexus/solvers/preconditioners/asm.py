"""Additive Schwarz: every rank solves its own block, enlarged by layers of its neighbours' unknowns.

The restricted form drops the overlap when results are added, which needs fewer iterations but is not
symmetric. X.-C. Cai, M. Sarkis, SIAM J. Sci. Comput. 21 (1999) 792, doi:10.1137/S106482759732678X.
"""

from __future__ import annotations

from typing import Any, Literal

from plexus.deck.params import Field, Params
from plexus.protocols import OptionValue
from plexus.registry import register
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "asm", "overlap": 2, "local": "lu"}


class AsmParams(Params):
    """Parameters of additive Schwarz."""

    overlap: int = Field(1, ge=0, le=10, description="layers of neighbouring unknowns")
    variant: Literal["basic", "restrict"] = Field(
        "basic", description="basic is symmetric (CG); restrict needs GMRES and fewer iterations"
    )
    local: Literal["ilu", "icc", "lu", "cholesky", "sor"] = Field("ilu", description="solver of each block")


@register("preconditioner", "asm", AsmParams)
class Asm(PreconditionerBase):
    """PCASM."""

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options."""
        return {
            "pc_type": "asm",
            "pc_asm_overlap": self.params.overlap,
            "pc_asm_type": self.params.variant,
            "sub_ksp_type": "preonly",
            "sub_pc_type": self.params.local,
        }
