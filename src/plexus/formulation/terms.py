"""Base class of boundary terms: ∫ f0·v ds on a named boundary.

A term is built with its parameters and the field of the equation that it joins, and knows whether it
is affine in that field. Its default tangent is automatic; the shipped ones are explicit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from pydantic import model_validator

from plexus import registry
from plexus.deck.params import Params, Property
from plexus.deck.property import CHORD
from plexus.fields.arrays import eye, where
from plexus.formulation import autodiff
from plexus.formulation.points import Values, View, with_field
from plexus.protocols import Array, FieldSpec, Flux, Point, Tangent


class TermParams(Params):
    """Parameters of a boundary term; a value, list or table stands for ``{value: ...}``."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        # a table or values by region are one value, too
        block = isinstance(data, dict) and not {"table", "regions"} & set(data)
        return data if block or "value" not in cls.model_fields else {"value": data}


class Term:
    """A `BoundaryTerm` on one equation.

    Parameters
    ----------
    params : Params
        Parameters of the member.
    field : FieldSpec
        The unknown u of the equation.
    """

    affine: bool = True
    """True when f0 is affine in u as long as the properties do not depend on u."""
    skeleton: bool = False
    """Whether it may stand on curves and points too."""
    across: bool = False
    """Whether it acts between the two sides of facets inside the body, at which the unknown jumps."""
    joins: Collection[str] = ()
    """Unknowns to whose equations a term of another package adds itself; they cannot list it."""

    def __init__(self, params: Any, field: FieldSpec):
        self.params = params
        self.field = field

    @property
    def linear(self) -> bool:
        """Whether f0 is affine in u."""
        return self.affine and not any(self.field.name in p.names for p in self.properties())

    def properties(self) -> Iterable[Property]:
        """Return the properties among the parameters."""
        # parameters are properties, tuples of them (a traction), or plain numbers
        values = (getattr(self.params, name) for name in type(self.params).model_fields)
        return [
            v
            for value in values
            for v in (value if isinstance(value, tuple) else (value,))
            if hasattr(v, "names")
        ]

    def flux(self, p: Point) -> Flux:
        """Return f0 on the facets."""
        raise NotImplementedError

    def tangent(self, p: Point) -> Tangent:
        """Return ∂f0/∂u as c00, and that on the other side as across, here by automatic differentiation."""
        c00 = autodiff.tangent(self, p, self.field).c00
        if not self.across:
            return Tangent(c00=c00)
        return Tangent(c00=c00, across=autodiff.tangent(_Behind(self), p.other, self.field).c00)

    def chord(self, p: Point, c00: Array) -> Array:
        """Return a tangent in which zeros are replaced by the slope of a chord around the unknown.

        A coefficient such as |u - b|^(1/4) makes the term flat at one value of u: Newton's method would leave
        from there with no idea of the term, from a chord it does not.
        """
        flat = c00 == 0.0
        if not (flat.any() if hasattr(flat, "any") else flat):
            return c00
        width = CHORD * (1.0 + abs(p.u))
        beyond, below = (self._at(p, p.u + side * width) for side in (1.0, -1.0))
        return where(flat, (beyond - below) / (2.0 * width), c00)

    def _at(self, p: Point, u: Array) -> Array:
        """Return f0 for another value of the unknown."""
        return self.flux(with_field(p, self.field.name, Values(u), u=u)).f0

    def slope(self, prop: Property, p: Point) -> Array | float:
        """Return the derivative of a property in the own unknown; 0.0 where it has none."""
        derivative = prop.derivative(p, self.field.name)
        return 0.0 if derivative is None else derivative


class _Behind:
    """A term between two sides as a function of the unknown on the other one."""

    def __init__(self, term: Term):
        self._term = term

    def flux(self, p: Point) -> Flux:
        """Return f0 of the side behind ``p``."""
        return self._term.flux(View(p.other, other=p))


def accepted(listed: Sequence[str], unknown: str) -> tuple[str, ...]:
    """Return the terms that an equation lists, then those that other packages add to its unknown."""
    found = [n for n in registry.installed()["boundary"] if n not in listed]
    joining = (n for n in found if unknown in getattr(registry.component("boundary", n).cls, "joins", ()))
    return (*listed, *joining)


def diagonal(p: Point, value: Array) -> Array:
    """Return value·I, (C|1, Q|1, d, d), the tangent of a load along u."""
    return value[..., None, None] * eye(p.dim, value)
