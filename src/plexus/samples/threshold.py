"""Two values: one where another drawn field is above a level, one elsewhere.

    f(x) = a for g(x) >= c, b else

With a Gaussian field this is the two-phase medium of Z. Li et al., doi:10.48550/arXiv.2010.08895 (Darcy
flow: 12 and 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from plexus import registry
from plexus.deck.params import Component, Field
from plexus.registry import register
from plexus.samples.base import SampleBase, UnitParams

if TYPE_CHECKING:
    import numpy as np

EXAMPLE: dict[str, Any] = {
    "type": "threshold", "of": {"type": "gaussian_field", "seed": 1, "size": ["1 m", "1 m"], "tau": 3},
    "above": 12, "below": 3,
}  # fmt: skip


class ThresholdParams(UnitParams):
    """Parameters of `Threshold`."""

    of: Annotated[Any, Component("sample")] = Field(description="drawn field g that is cut")
    level: float = Field(0.0, description="level c")
    above: float = Field(1.0, description="value a where g is at or above it")
    below: float = Field(0.0, description="value b elsewhere")


@register("sample", "threshold", ThresholdParams)
class Threshold(SampleBase):
    """f of the module's head."""

    def __init__(self, params: ThresholdParams):
        super().__init__(params)
        self.of = registry.build("sample", params.of)

    @property
    def axes(self) -> tuple[str, ...]:
        """Return those of the field that is cut."""
        return tuple(self.of.axes)

    def values(self, *places: np.ndarray) -> np.ndarray:
        """Return f at places of one shape."""
        import numpy as np

        return np.where(self.of.values(*places) >= self.params.level, self.params.above, self.params.below)
