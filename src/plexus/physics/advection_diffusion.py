"""Advection and diffusion of one scalar on the cells of a grid, in conservation form.

    c_t + ∇·(a c) = ∇·(D ∇c) + s

====== ========================================= =======
symbol meaning                                   unit
====== ========================================= =======
c      unknown, named by ``field``               ``unit``
a      velocity, given                           m/s
D      diffusivity                               m²/s
s      source                                    unit/s
====== ========================================= =======

Velocity, diffusivity and source are numbers or expressions of x, y, z and t, diffusivity and source of c,
too. Where a is not free of divergence, c changes as a density does. On a side of the grid hold a prescribed
value, a ``flux`` into the grid, ``outflow`` or a mixed condition ``robin``; a side of which the deck says
nothing is closed. Source: W. Hundsdorfer, J. G. Verwer, Numerical Solution of Time-Dependent
Advection-Diffusion-Reaction Equations (2003), doi:10.1007/978-3-662-09017-6. Valid for dilute passive
substances.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import ValidationInfo, field_validator, model_validator

from plexus.deck.context import known
from plexus.deck.params import Field, Property, Unit, Within
from plexus.deck.syntax import COORDINATES
from plexus.deck.values import fit_at
from plexus.formulation.entries import PerAxis
from plexus.formulation.laws import LawParams, QuadraticLaw, with_values
from plexus.protocols import Array, FieldSpec, GridPoint, Values
from plexus.registry import register


class AdvectionDiffusionParams(LawParams):
    """Parameters of `AdvectionDiffusion`."""

    field: str = Field(
        "concentration", pattern=r"^[A-Za-z]\w{0,99}$(?!\n)", description="name of the unknown"
    )
    unit: str = Field("1", description="unit of the unknown, kept with the results")
    velocity: Annotated[tuple[Annotated[Property, Unit("m/s")], ...], PerAxis] = Field(
        min_length=1, max_length=3, description="velocity a, one entry per axis"
    )
    diffusivity: Annotated[Property, Unit("m^2/s"), Within(ge=0)] = Field(0.0, description="diffusivity D")
    source: Property | None = Field(None, description="source s per volume")

    @model_validator(mode="after")
    def _units(self) -> AdvectionDiffusionParams:
        if self.unit != "1" and self.source is not None:
            fit_at("source", self.source, f"({self.unit})/s")
        return self

    @field_validator("velocity")
    @classmethod
    def _given(cls, value: tuple[Property, ...], info: ValidationInfo) -> tuple[Property, ...]:
        context = known(info)
        for part in value:
            unknown = sorted(part.names - {*COORDINATES, *context.controls} | part.names & {*context.laws})
            if unknown:
                raise ValueError(f"the velocity is given: {unknown[0]} is not one of x, y, z, t")
        return value


@register("physics", "advection_diffusion", AdvectionDiffusionParams)
class AdvectionDiffusion(QuadraticLaw):
    """One scalar that is carried and spreads."""

    def __init__(self, params: AdvectionDiffusionParams):
        self.params, self.name = params, params.field
        self.exchanged = "" if params.unit == "1" else f"({params.unit})*m/s"
        properties = (params.diffusivity, params.source)
        self.linear = not any(p is not None and self.name in p.names for p in properties)

    @staticmethod
    def fields(params: AdvectionDiffusionParams) -> Sequence[FieldSpec]:
        """Return the unknown."""
        return (FieldSpec(params.field, params.unit, "scalar", "carried and spreading quantity"),)

    def wave(self, p: GridPoint, axis: int) -> tuple[Array | float, float]:
        """Return a and nothing that depends on c."""
        return self.params.velocity[axis](p), 0.0

    def diffusivity(self, u: Values, p: GridPoint) -> Values:
        """Return D."""
        d = self.params.diffusivity
        return {} if d.constant == 0 else {self.name: d(with_values(p, u))}

    def source(self, u: Values, p: GridPoint) -> Values:
        """Return s."""
        s = self.params.source
        return {} if s is None else {self.name: s(with_values(p, u))}


EXAMPLE: dict[str, Any] = {"velocity": [1.0, 0.5], "diffusivity": "0.01 m^2/s"}
