"""Block Jacobi: every rank solves its own block approximately, without communication."""

from __future__ import annotations

from typing import Any, Literal

from plexus.deck.params import Field, Params
from plexus.protocols import OptionValue
from plexus.registry import register
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "bjacobi", "local": "lu"}


class BjacobiParams(Params):
    """Parameters of block Jacobi."""

    local: Literal["ilu", "icc", "lu", "cholesky", "sor", "gamg"] = Field(
        "ilu", description="preconditioner of each rank's block"
    )


@register("preconditioner", "bjacobi", BjacobiParams)
class Bjacobi(PreconditionerBase):
    """PCBJACOBI."""

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options."""
        return {"pc_type": "bjacobi", "sub_ksp_type": "preonly", "sub_pc_type": self.params.local}
