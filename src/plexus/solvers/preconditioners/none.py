"""No preconditioning: M = I.

For comparisons, and for operators so close to the identity that nothing else pays.
"""

from __future__ import annotations

from typing import Any

from plexus.deck.params import Params
from plexus.protocols import OptionValue
from plexus.registry import register
from plexus.solvers.preconditioners.base import PreconditionerBase
from plexus.solvers.target import Target

EXAMPLE: dict[str, Any] = {"type": "none"}


class NothingParams(Params):
    """There is nothing to choose."""


@register("preconditioner", "none", NothingParams)
class Nothing(PreconditionerBase):
    """PCNONE."""

    def options(self, target: Target) -> dict[str, OptionValue]:
        """Return the PETSc options."""
        return {"pc_type": "none"}
