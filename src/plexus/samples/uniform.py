"""Numbers that are uniform between two ends: one for the whole sample, or another one at every place.

    f = a + (b - a) u,   u uniform in (0, 1), drawn by seed and number of the sample, and by the place's bits

At every place it is white noise on the nodes of a mesh: it has no limit as meshes are refined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from plexus.deck.params import Field
from plexus.deck.values import refuse
from plexus.registry import register
from plexus.samples.base import SampleBase, SampleParams

if TYPE_CHECKING:
    import numpy as np

EXAMPLE: dict[str, Any] = {"type": "uniform", "seed": 1, "low": 0.5, "high": 2}


class UniformParams(SampleParams):
    """Parameters of `Uniform`."""

    low: float = Field(0.0, description="lower end a")
    high: float = Field(1.0, description="upper end b")
    each: Literal["sample", "x", "xy", "xyz"] = Field(
        "sample", description="what has a number of its own: the sample, or every place, by these coordinates"
    )

    @model_validator(mode="after")
    def _ordered(self) -> UniformParams:
        if not self.low < self.high:
            raise refuse(f"high {self.high:g} is not above low {self.low:g}")
        return self


@register("sample", "uniform", UniformParams)
class Uniform(SampleBase):
    """f of the module's head."""

    @property
    def axes(self) -> tuple[str, ...]:
        """Return the coordinates that a number belongs to, none where there is one for all places."""
        return () if self.params.each == "sample" else tuple(self.params.each)

    def values(self, *places: np.ndarray) -> np.ndarray:
        """Return f at places of one shape."""
        import numpy as np

        from plexus.samples._counter import uniform

        p = self.params
        # a zero of either sign is the same place
        bits = [(np.ascontiguousarray(place) + 0.0).view(np.int64) for place in places]
        return np.asarray(p.low + (p.high - p.low) * uniform(p.seed, p.number, *bits))
