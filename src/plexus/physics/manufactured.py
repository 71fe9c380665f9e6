"""Any model with the sources that make a chosen field its exact solution.

    F(u; v) - ∫ S·v dx = 0    with    S = f0(w) - ∇·f1(w),    w the exact fields

Give the exact fields, prescribe them on the boundary, and measure the error with quantities of type
``error``: it must fall with the mesh width as theory says. The sources are derived automatically from
the model's own flux (see `plexus.formulation.manufactured`; needs torch). Source: P. J. Roache, J. Fluids
Eng. 124 (2002) 4-10, doi:10.1115/1.1436090. Valid for exact fields with two derivatives, and for
coefficients without jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import ValidationInfo, field_validator

from plexus.deck.context import open_units
from plexus.deck.params import Component, Expression, Field
from plexus.deck.values import fit_at, refuse
from plexus.formulation.base import PhysicsParams
from plexus.formulation.entries import check_components
from plexus.formulation.manufactured import Exact, source
from plexus.protocols import Array, Equation, FieldSpec, Flux, Point
from plexus.registry import build, component, register

REMEMBERED = 64
"""Batches of points whose source is kept."""


class ManufacturedParams(PhysicsParams):
    """Parameters of `ManufacturedPhysics`."""

    model: Annotated[Any, Component("physics")] = Field(description="the model under test")
    exact: dict[str, Expression | tuple[Expression, ...]] = Field(
        description="exact solution per field: an expression, or a list of them for a vector"
    )

    @field_validator("exact")
    @classmethod
    def _every_unknown(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        model = info.data.get("model")
        if model is None:
            return value
        specs = {spec.name: spec for spec in _fields(model)}
        if set(specs) != set(value):
            raise refuse(f"needs an exact solution of {', '.join(specs)}, and of nothing else")
        for name, spec in specs.items():
            check_components(spec, len(value[name]) if isinstance(value[name], tuple) else 1, info)
            if name not in open_units(model):
                fit_at(name, value[name], spec.unit)
        return value


def _fields(model: Any) -> Sequence[FieldSpec]:
    """Return the unknowns of a model given by its parameters."""
    cls: Any = component("physics", model.type).cls
    return tuple(cls.fields(model))


@register("physics", "manufactured", ManufacturedParams)
class ManufacturedPhysics:
    """The model's equations, each with its source."""

    def __init__(self, params: ManufacturedParams):
        vectors = {spec.name for spec in _fields(params.model) if spec.shape != "scalar"}
        # a vector on a line has one component, which its exact solution need not write as a list
        exact = {
            name: (e,) if name in vectors and not isinstance(e, tuple) else e
            for name, e in params.exact.items()
        }
        model = build("physics", params.model)
        self.equations = [Sourced(equation, exact) for equation in model.equations]

    @staticmethod
    def fields(params: ManufacturedParams) -> Sequence[FieldSpec]:
        """Return the unknowns of the model."""
        return _fields(params.model)


class Sourced:
    """An equation minus the source of its exact solution; all else is the equation's."""

    def __init__(self, equation: Equation, exact: Exact):
        self._equation = equation
        self._exact = exact
        self._known: dict[tuple[float, float, int], Array] = {}

    def __getattr__(self, name: str) -> Any:
        """Return what the equation has under this name."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._equation, name)

    def flux(self, p: Point) -> Flux:
        """Return the equation's flux with S taken off f0."""
        flux = self._equation.flux(p)
        s = self._source(p)
        return Flux(-s if flux.f0 is None else flux.f0 - s, flux.f1)

    def _source(self, p: Point) -> Array:
        """Return S; the last batches are remembered, since a solve visits the same points again and again."""
        # Newton and Krylov come back to the same points at the same time
        x = p.x.cpu().numpy() if hasattr(p.x, "cpu") else p.x
        key = p.t, p.dt, hash(x.tobytes())
        if key not in self._known:
            # dicts keep their order: the first key is the oldest
            if len(self._known) >= REMEMBERED:
                self._known.pop(next(iter(self._known)))
            self._known[key] = source(self._equation, self._exact, p)
        return self._known[key]


EXAMPLE: dict[str, Any] = {
    "model": {"type": "diffusion", "coefficient": 1},
    "exact": {"u": "sin(pi*x)*sin(pi*y)"},
}
