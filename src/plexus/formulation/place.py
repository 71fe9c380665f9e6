"""Parameters of quantities that look at a part of the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.deck.params import BoundaryName, Field, Params, RegionName

if TYPE_CHECKING:
    from plexus.spaces.evaluate import Part


class Place(Params):
    """A named region or boundary; the whole body without either."""

    on: BoundaryName | None = Field(None, description="name of a boundary; the body without it")
    region: RegionName | None = Field(None, description="name of a region; all regions without it")

    @property
    def part(self) -> Part:
        """The part of the mesh."""
        from plexus.spaces.evaluate import Part

        return Part(self.region, self.on)
