"""Burgers' equation of one scalar on the cells of a grid, viscous or not.

    u_t + Σ_a d_a (u²/2)_a = ∇·(ν ∇u) + s

====== ================================== =====
symbol meaning                            unit
====== ================================== =====
u      velocity                           m/s
d      direction, >= 0, 1 along each axis 1
ν      viscosity, >= 0                    m²/s
s      source                             m/s²
====== ================================== =====

Waves steepen into shocks, which move with the mean of the values on both sides. Sources: J. M. Burgers, Adv.
Appl. Mech. 1 (1948) 171-199, doi:10.1016/S0065-2156(08)70100-5; P. D. Lax, Comm. Pure Appl. Math. 10 (1957)
537-566, doi:10.1002/cpa.3160100406. Sides as for ``advection_diffusion``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.formulation.entries import PerAxis
from plexus.formulation.laws import LawParams, QuadraticLaw, with_values
from plexus.protocols import Array, FieldSpec, GridPoint, Values
from plexus.registry import register


class BurgersParams(LawParams):
    """Parameters of `Burgers`."""

    viscosity: Annotated[Property, Unit("m^2/s"), Within(ge=0)] = Field(0.0, description="viscosity ν")
    direction: Annotated[tuple[Annotated[float, Field(ge=0)], ...], PerAxis] | None = Field(
        None, min_length=1, max_length=3, description="factor of the flux along each axis; 1 if left out"
    )
    source: Annotated[Property, Unit("m/s^2")] | None = Field(None, description="source s")


@register("physics", "burgers", BurgersParams)
class Burgers(QuadraticLaw):
    """One velocity that carries itself."""

    name, exchanged = "velocity", "m^2/s^2"

    def __init__(self, params: BurgersParams):
        self.params = params
        self.direction = params.direction or (1.0, 1.0, 1.0)

    @staticmethod
    def fields(params: BurgersParams) -> Sequence[FieldSpec]:
        """Return the velocity."""
        return (FieldSpec("velocity", "m/s", "scalar", "velocity"),)

    def wave(self, p: GridPoint, axis: int) -> tuple[Array | float, float]:
        """Return 0 and d; a direction of zero has no waves."""
        return 0.0, self.direction[axis]

    def diffusivity(self, u: Values, p: GridPoint) -> Values:
        """Return ν."""
        d = self.params.viscosity
        return {} if d.constant == 0 else {"velocity": d(with_values(p, u))}

    def source(self, u: Values, p: GridPoint) -> Values:
        """Return s."""
        s = self.params.source
        return {} if s is None else {"velocity": s(with_values(p, u))}


EXAMPLE: dict[str, Any] = {"viscosity": "0.01 m^2/s", "reconstruction": "weno5", "riemann": "godunov"}
