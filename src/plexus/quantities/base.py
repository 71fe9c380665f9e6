"""What quantities share: nothing to find before the first solve, no unit, a part of the body to look at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from plexus.deck.params import FacetNames, Field, Params, RegionName

if TYPE_CHECKING:
    from plexus.run import Run
    from plexus.spaces.evaluate import Part


class QuantityBase(ABC):
    """Base of quantities (`plexus.protocols.Quantity`)."""

    def prepare(self, run: Run) -> None:
        """Look at nothing before the first solve."""
        return

    @abstractmethod
    def evaluate(self, run: Run) -> float:
        """Return the value at the present state. Collective."""

    def unit(self, run: Run) -> str:
        """Return no unit."""
        return ""


class Place(Params):
    """A named region or boundary; the whole body without either."""

    on: FacetNames | None = Field(
        None, description="boundary, list of boundaries, or side of an interface; the body without it"
    )
    region: RegionName | None = Field(None, description="name of a region; all regions without it")

    @property
    def part(self) -> Part:
        """The part of the mesh."""
        from plexus.spaces.evaluate import Part

        return Part(self.region, self.on)
