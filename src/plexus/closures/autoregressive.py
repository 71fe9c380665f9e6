"""Autoregressive closure: the next moment that the given ones predict, with reflection coefficient zero.

    f_(K+1)/c = Σ_j a_j c_(K+1-j),    c_m = f_m/c,

a_j the predictor of the Levinson-Durbin recursion: the middle of the disk in which the next moment of a
non-negative distribution must lie, and the moment of the distribution that maximises
∫ log Ψ dθ. One moment gives the quadratic closure; two give

    f_3/c = a c_2 + k c_1,   k = (c_2 - c_1²)/(1 - |c_1|²),   a = c_1 - k c_1*.

Source: J. P. Burg, Geophysics 37 (1972) 375-376, doi:10.1190/1.1440265 (maximum entropy); recursion as in
`plexus.formulation.toeplitz`. |k_m| is capped for m >= 2: coarse grids leave a few cells beyond the possible.
"""

from __future__ import annotations

from typing import Any

from plexus.closures.base import ClosureParams, Fields, MomentClosure, order, scaled
from plexus.deck.params import Field
from plexus.formulation import toeplitz
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "autoregressive"}


class AutoregressiveParams(ClosureParams):
    """Parameters of the autoregressive closure."""

    cap: float = Field(
        0.999,
        gt=0,
        le=1,
        description="largest |k_m|, m >= 2: keeps cells at the edge of the possible bounded",
    )


@register("closure", "autoregressive", AutoregressiveParams)
class Autoregressive(MomentClosure):
    """Zero reflection coefficient, for any number of given moments."""

    def evaluate(self, fields: Fields) -> dict[str, Any]:
        """Return f_(K+1)."""
        highest = order(fields)
        predicted = toeplitz.disk(scaled(fields, highest), self.params.cap).center
        return {f"f{highest + 1}": fields["c"] * predicted}
