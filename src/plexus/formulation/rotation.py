"""Rotation of a body as a load: the centrifugal force per mass in the frame that turns with it.

    a = ω² (r - (r·e) e),    r = x - x_0

e is the direction of the axis, x_0 a point on it. Positions are those of the unloaded body, so that what a
deformed body adds (spin softening) is not in it, nor is the force of a changing speed. Source: S. P.
Timoshenko, J. N. Goodier, Theory of Elasticity, 3rd ed., McGraw-Hill 1970, section 32.
"""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import ValidationInfo, ValidatorFunctionWrapHandler, field_validator

from plexus.deck.context import only
from plexus.deck.params import Expression, Field, Params, Unit
from plexus.deck.property import PointNames
from plexus.deck.values import refuse
from plexus.fields.arrays import einsum, stack
from plexus.formulation.entries import PerAxis, check_per_axis
from plexus.formulation.points import spread
from plexus.protocols import Array, Point


class Rotation(Params):
    """Axis and speed of a rotation.

    A plane section turns about its normal through ``point`` unless an axis in its plane is given, a meridian
    section about its axis y.
    """

    speed: Annotated[Expression, Unit("rad/s")] = Field(
        description="speed ω, e.g. 3000 rpm; may depend on time t"
    )
    axis: Annotated[tuple[float, ...] | None, PerAxis] = Field(
        None, description="direction of the axis, one entry per direction; needed for a solid"
    )
    point: Annotated[tuple[Annotated[float, Unit("m")], ...] | None, PerAxis] = Field(
        None, description="a point on the axis; the origin if left out"
    )

    @field_validator("speed", mode="wrap")
    @classmethod
    def _of_time(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        # Hz has the dimension of rad/s, and 50 Hz would become 50 rad/s
        if isinstance(value, str) and "Hz" in value:
            raise refuse(
                f"{value!r}: a speed of rotation is told in rpm or rad/s (1 turn per second is 60 rpm)"
            )
        with only(info, "t"):
            return handler(value)

    @field_validator("axis")
    @classmethod
    def _points_somewhere(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and not math.hypot(*value) > 0:
            raise refuse("the direction of the axis is zero")
        return value

    def misfit(self, geometry: str) -> str | None:
        """Return what is wrong with the axis for a geometry, else None."""
        if geometry == "solid" and self.axis is None:
            return "rotation of a solid needs the direction of its axis, e.g. axis: [0, 0, 1]"
        if geometry == "axisymmetric":
            across = [v[0] for v in (self.axis, self.point) if v is not None and len(v) > 0]
            if any(across):
                return "a meridian section rotates about its axis x = 0: leave axis and point out"
        return None

    def acceleration(self, p: Point, geometry: str) -> Array:
        """Return ω² times the distance vector from the axis, (C, Q, d)."""
        for name, entries in (("axis", self.axis), ("point", self.point)):
            if entries is not None:
                check_per_axis(f"physics.rotation.{name}", len(entries), p.dim)
        origin = self.point or (0.0,) * p.dim
        r = stack([p.x[..., i] - origin[i] for i in range(p.dim)])
        axis = (0.0, 1.0) if geometry == "axisymmetric" else self.axis
        if axis is not None:
            e = [c / math.hypot(*axis) for c in axis]
            along = sum(r[..., i] * e[i] for i in range(p.dim))
            r = stack([r[..., i] - along * e[i] for i in range(p.dim)])
        return einsum("...,...i->...i", spread(self.speed.sure(PointNames(p)) ** 2, p), r)
