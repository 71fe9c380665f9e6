"""No closure: the next moment is zero, f_(K+1) = 0.

The hierarchy is cut off. With enough moments that is the kinetic theory itself (K = 16 to 24 for a steric
strength ζ <= 1, 85 for ζ = 17); with one moment the model is unstable in nematic turbulence.
"""

from __future__ import annotations

from typing import Any

from plexus.closures.base import ClosureParams, Fields, MomentClosure, order
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "none"}


class NothingParams(ClosureParams):
    """There is nothing to choose."""


@register("closure", "none", NothingParams)
class Nothing(MomentClosure):
    """f_(K+1) = 0 for any K."""

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return zero."""
        highest = order(fields)
        return {f"f{highest + 1}": 0 * fields[f"f{highest}"]}
