"""Quadratic closure: f_2 = f_1²/c, as if all rods of a point had one direction.

In tensors <pppp> ≈ <pp><pp>/c for the part that the traces leave open. Exact for perfect order and in the
isotropic limit, where both vanish; it lies in the middle of the disk of possible f_2. The order parameter
comes out 2 to 7 % too low in active nematic turbulence.

Source: M. Doi, J. Polym. Sci. Polym. Phys. Ed. 19 (1981) 229-243, doi:10.1002/pol.1981.180190205.
"""

from __future__ import annotations

from typing import Any

from plexus.closures.base import ClosureParams, Fields, MomentClosure
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "quadratic"}


class QuadraticParams(ClosureParams):
    """There is nothing to choose."""


@register("closure", "quadratic", QuadraticParams)
class Quadratic(MomentClosure):
    """f_2 = f_1²/c."""

    closes = 2

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return f_2."""
        f1 = fields["f1"]
        return {"f2": f1 * f1 / fields["c"]}
