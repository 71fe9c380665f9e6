"""Diffusion of a dissolved substance through a porous body that takes it up.

    a(u)_t = ∇·(D ∇u) + s,   a(u) = u + K uⁿ,   K = (1-φ)/φ ρ k

which is R(u) u_t = ∇·(D ∇u) + s with the retardation R = a' = 1 + K n uⁿ⁻¹, in the form that keeps ∫ a.

====== =================================================== =======
symbol meaning                                             unit
====== =================================================== =======
u      concentration, relative to a given one              1
a      held per volume of pores, dissolved and sorbed      1
D      diffusivity                                         m²/s
φ      porosity, volume of pores over that of the body     1
ρ      density of the body's substance                     kg/m³
k      Freundlich's coefficient                            m³/kg
n      Freundlich's exponent, 0 < n <= 1                   1
s      source per volume of pores                          1/s
====== =================================================== =======

For n < 1 the retardation is infinite at u = 0; the cells hold a, of which u is a smooth function, so that bodies
may be empty at the start. A value that a side has jumps at the start against that inside: give small steps first
(``controller: graded``). The condition u + D ∂u/∂n = 0 is an outflow, ``robin: 1``. Sources: M. Takamoto et al.,
PDEBench, NeurIPS 2022, doi:10.48550/arXiv.2210.07182, from which the defaults are; W. Nowak, A. Guthke, Entropy 18
(2016) 409, doi:10.3390/e18110409. Valid while sorption is in equilibrium and pores do not fill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from plexus.deck.params import Component, Field, Params, Property, Unit, Within
from plexus.formulation.isotherms import Freundlich
from plexus.formulation.laws import LawParams, QuadraticLaw, with_values
from plexus.protocols import Array, FieldSpec, Found, GridPoint, Values
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.schema import Deck

UNKNOWN, HELD = "concentration", "held"
GROWS = "u - {d} = 0 lets the solution grow like exp({rate}); for an outflow write u + {d} = 0: {key}"


class DiffusionSorptionParams(LawParams):
    """Parameters of `DiffusionSorption`; the defaults are those of PDEBench."""

    diffusivity: Annotated[Property, Unit("m^2/s"), Within(ge=0)] = Field(5e-4, description="diffusivity D")
    porosity: float = Field(0.29, gt=0, lt=1, description="porosity φ")
    density: Annotated[float, Unit("kg/m^3")] = Field(2880.0, gt=0, description="density ρ of the solid")
    sorption: Annotated[float, Unit("m^3/kg")] = Field(
        3.5e-4, gt=0, description="Freundlich's coefficient k"
    )
    exponent: float = Field(0.874, gt=0, le=1, description="Freundlich's exponent n")
    source: Annotated[Property, Unit("1/s")] | None = Field(None, description="source s per volume of pores")
    reconstruction: Annotated[Params, Component("reconstruction")] = Field(
        "upwind", description="values on faces from means of cells; nothing is carried, so that all are alike"
    )


@register("physics", "diffusion_sorption", DiffusionSorptionParams)
class DiffusionSorption(QuadraticLaw):
    """One concentration that spreads and is taken up."""

    name, exchanged = UNKNOWN, "m/s"
    amounts = {UNKNOWN: FieldSpec(HELD, "1", "scalar", "held per volume of pores, dissolved and sorbed")}

    def __init__(self, params: DiffusionSorptionParams):
        self.params = params
        solid = (1 - params.porosity) / params.porosity * params.density
        self.isotherm = Freundlich(solid * params.sorption, params.exponent)
        properties = (params.diffusivity, params.source)
        self.linear = not any(p is not None and UNKNOWN in p.names for p in properties)

    @staticmethod
    def fields(params: DiffusionSorptionParams) -> Sequence[FieldSpec]:
        """Return the concentration."""
        return (FieldSpec(UNKNOWN, "1", "scalar", "relative concentration"),)

    @staticmethod
    def problems(deck: Deck) -> Iterator[Found]:
        """Yield sides through which more comes in the more there is."""
        for i, condition in enumerate(deck.boundary):
            robin = condition.terms.get("robin")
            a = None if robin is None else robin.coefficient.constant
            if a is not None and a < 0:
                d, rate = ("", "") if a == -1 else (f"{-1 / a:g} ", f"{a * a:g} ")
                # the upper end of x, where the outward derivative is that along it
                d += "D u_x" if list(condition.on) == ["right"] else "D u_n"
                key = f"robin: {{coefficient: {-a:g}}}"
                yield ("boundary", i, "robin"), GROWS.format(d=d, rate=f"{rate}t/(D R)", key=key)

    def wave(self, p: GridPoint, axis: int) -> tuple[Array | float, float]:
        """Return zeros: nothing is carried."""
        return 0.0, 0.0

    def stored(self, u: Values) -> Values:
        """Return a(u)."""
        return {UNKNOWN: self.isotherm.stored(u[UNKNOWN])}

    def released(self, amounts: Values) -> Values:
        """Return u(a)."""
        return {UNKNOWN: self.isotherm.released(amounts[UNKNOWN])}

    def capacity(self, u: Values) -> Values:
        """Return the retardation R."""
        return {UNKNOWN: self.isotherm.capacity(u[UNKNOWN])}

    def diffusivity(self, u: Values, p: GridPoint) -> Values:
        """Return D."""
        return {UNKNOWN: self.params.diffusivity(with_values(p, u))}

    def source(self, u: Values, p: GridPoint) -> Values:
        """Return s."""
        s = self.params.source
        return {} if s is None else {UNKNOWN: s(with_values(p, u))}


EXAMPLE: dict[str, Any] = {"diffusivity": "5e-4 m^2/s"}
