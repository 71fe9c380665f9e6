"""What quantities share: nothing to find before the first solve, no unit, a part of the body to look at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import model_validator

from plexus.deck.params import FacetNames, Field, Params, RegionName
from plexus.protocols import Balances
from plexus.protocols.fields import reads

if TYPE_CHECKING:
    from plexus.protocols import Integrand
    from plexus.run import Run
    from plexus.spaces.evaluate import Part


class QuantityBase(ABC):
    """Base of quantities (`plexus.protocols.Quantity`)."""

    rough: ClassVar[str] = ""
    """Why it has no gradient, and what to take instead; empty where it has one."""

    def prepare(self, run: Run) -> None:
        """Look at nothing before the first solve."""
        return

    def sides(self, inner: Collection[str]) -> tuple[bool, bool]:
        """Return whether the two sides of facets differ for it, and whether only outer facets will do.

        ``inner`` are the names of fields that may differ between cells that meet.
        """
        return False, False

    def warn(self, run: Run, text: str) -> None:
        """Tell what is seldom wanted, at this quantity's place in the deck."""
        name = next(name for name, quantity in run.quantities.items() if quantity is self)
        run.ctx.log.info(f"warning: {run.deck.placed(f'quantities.{name}.{text}')}")

    @abstractmethod
    def evaluate(self, run: Run) -> float:
        """Return the value at the present state. Collective."""

    def unit(self, run: Run) -> str:
        """Return no unit."""
        return ""


class PartQuantity(QuantityBase):
    """A quantity of a part of the body: refused before the first solve where the part has nothing to look at.

    Facets inside the body have two sides, and what is not the same on both needs to know which is meant.
    """

    params: Place

    @abstractmethod
    def looks(self, run: Run) -> Integrand | None:
        """Return what is looked at on the part; None for what differs between the sides of a facet."""

    def prepare(self, run: Run) -> None:
        """Refuse a part of nothing, and facets without a side. Collective.

        Raises
        ------
        InputError
            If nothing is there, or if facets lie inside the body and no side is named.
        """
        if isinstance(run.fields, Balances):
            run.fields.require(self.params.part, self.looks(run))

    def sides(self, inner: Collection[str]) -> tuple[bool, bool]:
        """Return whether it reads one of these fields, or a component of one."""
        of: Any = getattr(self.params, "of", ())
        return reads([of] if isinstance(of, str) else of.names, inner), False


class Place(Params):
    """A named region or boundary; the whole body without either."""

    on: FacetNames | None = Field(
        None, description="boundary, list of boundaries, or side of an interface; the body without it"
    )
    region: RegionName | None = Field(None, description="name of a region; all regions without it")

    @model_validator(mode="after")
    def _one_region(self) -> Place:
        if self.region is not None and self.on is not None and self.on.side not in (None, self.region):
            raise ValueError(f"region is {self.region}, and facets are seen from {self.on.side}: name one")
        return self

    @property
    def part(self) -> Part:
        """The part of the mesh."""
        from plexus.spaces.evaluate import Part

        return Part(self.region, self.on)
