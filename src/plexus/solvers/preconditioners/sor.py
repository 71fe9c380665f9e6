"""Symmetric successive over-relaxation, within each rank (block Jacobi between ranks).

M = ω/(2-ω) (D/ω + L) D⁻¹ (D/ω + Lᵀ) for A = L + D + Lᵀ: symmetric when A is, so it fits CG.
"""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Field, Params
from plexus.protocols import OptionValue
from plexus.registry import register
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "sor", "omega": 1.2}


class SorParams(Params):
    """Parameters of SSOR."""

    omega: float = Field(1.0, gt=0, lt=2, description="relaxation factor; 1 is Gauss-Seidel")
    sweeps: int = Field(1, ge=1, le=100, description="sweeps per application")


@register("preconditioner", "sor", SorParams)
class Sor(PreconditionerBase):
    """PCSOR, symmetric within each rank."""

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options."""
        return {
            "pc_type": "sor",
            "pc_sor_local_symmetric": True,
            "pc_sor_omega": self.params.omega,
            "pc_sor_its": self.params.sweeps,
        }
