"""Prescribed total force on boundaries, curves or points, in newtons.

    boundary: σ n = F/A,    curve: F/L per length,    points: F shared equally

F is the sum over all places of one condition; A is their area, with the thickness of a plane section and 2πr
of a meridian section, L the length of the curves. Adds f0 = -F/A on boundaries and -F_i = -F ∫φ_i dl / L at
nodes of curves. Source: S. P. Timoshenko, J. N. Goodier, Theory of Elasticity, 3rd ed., McGraw-Hill 1970,
sections 11 and 36. Stress and displacement under a force on a point, or on a curve of a solid, grow without
bound as the mesh is refined; away from it they are right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ValidationInfo, ValidatorFunctionWrapHandler, field_validator

from plexus.deck.context import known, only
from plexus.deck.params import Expression, Field, Unit
from plexus.deck.property import PointNames
from plexus.fields.arrays import stack
from plexus.formulation.entries import PerAxis, check_per_axis
from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Array, Flux, Point, Tangent
from plexus.registry import register


class ForceParams(TermParams):
    """Parameters of `Force`."""

    value: Annotated[tuple[Annotated[Expression, Unit("N")], ...], PerAxis] = Field(
        description="total force, one entry per direction; reads t, scalars and tables of `controls`",
        min_length=1,
        max_length=3,
    )

    @field_validator("value", mode="wrap")
    @classmethod
    def _of_time(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        with only(info, {"t", *known(info).placeless}):
            return handler(value)


@register("boundary", "force", ForceParams)
class Force(Term):
    """The term -F·(mean of v over the boundary), or the same at nodes of curves and points."""

    skeleton = True
    spread = 0.0
    """Area that shares the force [m²]; told when the mesh is known."""

    @property
    def reads(self) -> frozenset[str]:
        """Names that F depends on: time and controls."""
        return frozenset().union(*(component.names for component in self.params.value))

    def total(self, names: Mapping[str, Any]) -> list[Any]:
        """Return F, one entry per direction [N], for the values of what it `reads`."""
        return [component.sure(names) for component in self.params.value]

    def flux(self, p: Point) -> Flux:
        """Return f0 = -F/A."""
        check_per_axis("boundary: force", len(self.params.value), p.dim)
        ones: Array = 0.0 * p.x[..., 0] + 1.0
        return Flux(f0=-stack([force / self.spread * ones for force in self.total(PointNames(p))]))

    def tangent(self, p: Point) -> Tangent:
        """Return zero: the load does not depend on the displacement."""
        return Tangent(symmetric=True)


EXAMPLE: dict[str, Any] = {"value": ["1 kN", 0]}
