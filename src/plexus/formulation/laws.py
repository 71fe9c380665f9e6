"""What conservation laws on the cells of a grid share: parameters of the scheme, defaults of the protocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from plexus.deck.params import Component, Field, Params
from plexus.formulation.points import Values as Given
from plexus.formulation.points import View
from plexus.protocols import Array, GridPoint, Values


class LawParams(Params):
    """Parameters that every model on cells has."""

    reconstruction: Annotated[Params, Component("reconstruction")] = Field(
        "muscl", description="values on faces from means of cells; sets the order"
    )
    riemann: Annotated[Params, Component("riemann")] = Field(
        "rusanov", description="flux from the values on both sides of a face"
    )


class Law:
    """A `plexus.protocols.Conservation` that neither diffuses nor has sources."""

    discretisation = "volumes"
    linear = False
    boundary_terms: tuple[str, ...] = ("flux", "outflow", "robin")
    exchanged: str = ""
    """Unit of the flux through a side; empty where the deck leaves it open."""

    def sonic(self, p: GridPoint, axis: int) -> Values:
        """Return no sonic state."""
        return {}

    def diffusivity(self, u: Values, p: GridPoint) -> Values:
        """Return nothing: no field diffuses."""
        return {}

    def source(self, u: Values, p: GridPoint) -> Values:
        """Return nothing: no field has a source."""
        return {}


def with_values(p: GridPoint, u: Mapping[str, Array]) -> Any:
    """Return the point with values among its fields, so that properties may depend on them."""
    return View(p, {**p.fields, **{name: Given(value) for name, value in u.items()}})
