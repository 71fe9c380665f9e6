"""Error of a field against an exact one: ‖u_h - w‖ in L2, or ‖∇u_h - ∇w‖ in L2 (``norm: H1``).

The gradient of the exact field is found symbolically. Quadrature is exact for polynomials of degree
2p + 4, with p the degree of the elements, so that its own error stays below that of the field.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationInfo, field_validator

from plexus.deck.context import known
from plexus.deck.params import Expression, Field, FieldName
from plexus.deck.property import PointNames
from plexus.deck.values import fit, refuse
from plexus.fields.arrays import stack
from plexus.formulation.entries import check_components
from plexus.protocols import Array, Integrand, Point
from plexus.quantities.base import PartQuantity, Place
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.run import Run


class ErrorParams(Place):
    """Parameters of `Error`."""

    of: FieldName = Field(description="name of a field; of an unknown for H1")
    exact: Expression | tuple[Expression, ...] = Field(
        description="exact value: an expression of x, y, z, t, or one per component, tensors row by row"
    )
    norm: Literal["L2", "H1"] = Field("L2", description="L2 of the value, or of the gradient (H1 seminorm)")
    relative: bool = Field(False, description="divide by the norm of the exact field")

    @field_validator("exact")
    @classmethod
    def _as_many_as_components(cls, value: Any, info: ValidationInfo) -> Any:
        spec = (known(info).fields or {}).get(info.data.get("of", ""))
        if spec is not None:
            check_components(spec, len(value) if isinstance(value, tuple) else 1, info)
            if spec.name not in known(info).open:
                fit(value, spec.unit)
        return value

    @field_validator("norm")
    @classmethod
    def _gradient_of_unknowns(cls, value: str, info: ValidationInfo) -> str:
        unknowns, name = known(info).unknowns, info.data.get("of")
        if value == "H1" and not known(info).gradients:
            raise refuse(f"fields {known(info).place} have no gradient here: use L2")
        if value == "H1" and unknowns is not None and name not in unknowns:
            raise refuse(f"only unknowns have a gradient: {', '.join(unknowns)}, not {name}")
        return value


@register("quantity", "error", ErrorParams)
class Error(PartQuantity):
    """Norm of the difference of a field and its exact value."""

    params: ErrorParams

    def __init__(self, params: ErrorParams):
        self.params = params
        exact = params.exact if isinstance(params.exact, tuple) else (params.exact,)
        self.exact = exact

    def sides(self, inner: Collection[str]) -> tuple[bool, bool]:
        """Return that gradients differ, or whether the field does."""
        return (True, False) if self.params.norm != "L2" else super().sides(inner)

    def looks(self, run: Run) -> Integrand | None:
        """Return the field; a gradient differs between the sides of a facet."""
        return run.fields.field(self.params.of) if self.params.norm == "L2" else None

    def evaluate(self, run: Run) -> float:
        """Return the error at the present state. Collective."""
        fields, name = run.fields, self.params.of
        # the squared error of a smooth field is integrated two orders beyond the elements' own rule
        degree = 2 * fields.degree + 4
        if self.params.norm == "L2":
            field, exact = self._part(fields.field(name)), self._value
        else:
            field, exact = (lambda p: p.fields[name].grad), self._gradient

        def norm(f: Callable[[Point], Array]) -> float:
            return fields.integrate(lambda p: _square(f(p)), self.params.part, degree) ** 0.5

        error = norm(lambda p: field(p) - _beside(exact(p), field(p)))
        # the same quadrature for the denominator; 0 times the field gives w the field's shape
        if self.params.relative:
            return error / norm(lambda p: _beside(exact(p), field(p)) + 0.0 * field(p))
        return error

    def unit(self, run: Run) -> str:
        """Return the unit of the norm; a relative error has none."""
        from plexus.coupling.units import times_length

        unit = "" if self.params.relative else run.fields.unit(self.params.of)
        unit = times_length(unit, -1) if self.params.norm == "H1" else unit
        return run.fields.integrated(unit, self.params.part, 0.5)

    def _part(self, field: Integrand) -> Integrand:
        """Return the components that the deck gives: all, or of a 3 x 3 tensor those of the section."""
        rows = math.isqrt(len(self.exact))

        def part(p: Point) -> Array:
            value = field(p)
            if len(self.exact) == 1 or value.shape[-1] == len(self.exact):
                return value
            side = math.isqrt(value.shape[-1])
            return stack([value[..., side * i + j] for i in range(rows) for j in range(rows)])

        return part

    def _value(self, p: Point) -> Array:
        """Return w, (C, Q) or (C, Q, m)."""
        return _stacked([e(PointNames(p)) + 0.0 * p.x[..., 0] for e in self.exact])

    def _gradient(self, p: Point) -> Array:
        """Return ∇w, (C, Q, d) or (C, Q, m, d)."""
        zero, axes = 0.0 * p.x[..., 0], "xyz"[: p.dim]
        slopes = [stack([e.derivative(a)(PointNames(p)) + zero for a in axes]) for e in self.exact]
        return slopes[0] if len(slopes) == 1 else stack(slopes, -2)


def _stacked(values: list[Array]) -> Array:
    """Return several components along a last axis, one as it is."""
    return values[0] if len(values) == 1 else stack(values)


def _beside(exact: Array, field: Array) -> Array:
    """Return the exact values with the field's axes: a vector on a line has one of one component."""
    return exact if exact.ndim == field.ndim else exact[..., None]


def _square(e: Array) -> Array:
    """Return the sum of squares over all but the first two axes."""
    # a rank without any point has an axis of none, from which no other length follows
    return (e * e).reshape(*e.shape[:2], math.prod(e.shape[2:])).sum(-1)


EXAMPLE: dict[str, Any] = {"type": "error", "of": "temperature", "exact": "300 + 10*x", "norm": "H1"}
