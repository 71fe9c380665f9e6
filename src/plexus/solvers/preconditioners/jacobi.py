"""Diagonal scaling: M = diag(A).

Cheap and parallel; enough for mass-dominated systems (short time steps).
"""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Params
from plexus.protocols import OptionValue
from plexus.registry import register
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "jacobi"}


class JacobiParams(Params):
    """Diagonal scaling has no parameters."""


@register("preconditioner", "jacobi", JacobiParams)
class Jacobi(PreconditionerBase):
    """PCJACOBI."""

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options."""
        return {"pc_type": "jacobi"}
