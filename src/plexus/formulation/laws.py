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


class QuadraticLaw(Law):
    """A law of one scalar with fluxes a u + b u²/2, which compiled code knows (`plexus.protocols.Quadratic`).

    Attributes
    ----------
    name : the unknown.
    """

    name: str

    def wave(self, p: GridPoint, axis: int) -> tuple[Array | float, float]:
        """Return a and b along one axis."""
        raise NotImplementedError

    def flux(self, u: Values, p: GridPoint, axis: int) -> Values:
        """Return a u + b u²/2."""
        (a, b), value = self.wave(p, axis), u[self.name]
        if b == 0:
            return {self.name: a * value}
        bent = b / 2 * (value * value)
        return {self.name: bent if _nothing(a) else bent + a * value}

    def speed(self, u: Values, p: GridPoint, axis: int) -> Array:
        """Return a + b u."""
        a, b = self.wave(p, axis)
        if b == 0:
            return a * p.one
        return b * u[self.name] if _nothing(a) else b * u[self.name] + a

    def sonic(self, p: GridPoint, axis: int) -> Values:
        """Return u = -a/b; waves of one speed have none."""
        a, b = self.wave(p, axis)
        return {self.name: -a / b * p.one} if b else {}


def _nothing(a: Array | float) -> bool:
    """Return whether a coefficient is the number zero, which saves passes through memory."""
    return isinstance(a, float) and a == 0


def with_values(p: GridPoint, u: Mapping[str, Array]) -> Any:
    """Return the point with values among its fields, so that properties may depend on them."""
    return View(p, {**p.fields, **{name: Given(value) for name, value in u.items()}})
