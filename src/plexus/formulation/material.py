"""Data of one material, shared by all models so that one material file serves every one of them.

Tables of datasheets are given as they are printed: mean thermal expansion counted from the
reference temperature of the sheet, not the instantaneous coefficient.
"""

from __future__ import annotations

from typing import Annotated, Literal

from plexus.deck.params import Field, Params, Property, Unit, Within
from plexus.errors import InputError
from plexus.formulation.entries import Square
from plexus.formulation.points import Values, with_field
from plexus.formulation.properties import TensorProperty
from plexus.protocols import Array, Point


class Expansion(Params):
    """Thermal strain α_m(T) (T - T_d) - α_m(T_0) (T_0 - T_d) with the mean coefficient α_m."""

    coefficient: Annotated[Property, Unit("1/K")] = Field(
        description="mean linear expansion coefficient between data_reference and T"
    )
    reference: Annotated[float, Unit("K")] = Field(
        293.15,
        gt=0,
        description="temperature T_0 without thermal strain",
        json_schema_extra={"source": "ISO 1: reference temperature of dimensions, 20 °C"},
    )
    data_reference: Annotated[float, Unit("K")] = Field(
        293.15,
        gt=0,
        description="temperature T_d from which the mean coefficient counts",
        json_schema_extra={"source": "ISO 1: reference temperature of dimensions, 20 °C"},
    )
    taken: Literal["followed", "points"] = Field(
        "followed",
        description="at degree 1 its mean over each cell (followed), or the value at each quadrature point",
    )


class Material(Params):
    """Thermal and elastic data; each model asks for those that it needs."""

    name: str = Field("", description="designation, kept with the results")
    sources: tuple[str, ...] = Field((), description="where the values come from, one line per source")
    density: Annotated[Property, Unit("kg/m^3"), Within(gt=0)] | None = Field(
        None, description="mass density ρ"
    )
    specific_heat: Annotated[Property, Unit("J/(kg K)"), Within(gt=0)] | None = Field(
        None, description="specific heat capacity c, may depend on temperature"
    )
    conductivity: Annotated[Property | TensorProperty, Square, Unit("W/(m K)"), Within(gt=0)] | None = Field(
        None, description="thermal conductivity k: one property, or a list of rows for a tensor"
    )
    young_modulus: Annotated[Property, Unit("Pa"), Within(gt=0)] | None = Field(
        None, description="Young's modulus E"
    )
    poisson_ratio: Annotated[Property, Unit("1"), Within(gt=-1, lt=0.5)] | None = Field(
        None, description="Poisson's ratio ν"
    )
    expansion: Expansion | None = Field(None, description="thermal expansion")

    def need(self, user: str, *names: str) -> None:
        """Raise InputError naming the data that ``user`` needs and the material lacks."""
        missing = self.missing(*names)
        if missing:
            raise InputError(f"physics.material: {user} needs {', '.join(missing)}")

    def missing(self, *names: str) -> tuple[str, ...]:
        """Return those of the data that the material lacks."""
        # None and only None means that the file says nothing: zero is a value
        return tuple(name for name in names if getattr(self, name) is None)


def thermal_strain(expansion: Expansion, p: Point) -> Array:
    """Return the linear thermal strain (C, Q) at the points' temperature."""
    # α_m(T) (T - T_d) is the strain since T_d; what had built up at T_0 is taken off
    t0, td = expansion.reference, expansion.data_reference
    temperature = p.fields["temperature"].value
    strain = expansion.coefficient(p) * (temperature - td)
    if t0 == td:
        return strain
    # the coefficient is read at T_0 by showing it a point that has this temperature, the same everywhere
    at_t0 = with_field(p, "temperature", Values(0.0 * temperature[:1, :1] + t0))
    return strain - expansion.coefficient(at_t0) * (t0 - td)
