"""The scalar balance that diffusion and heat conduction share.

    c u_t - ∇·(K ∇u) + r u = s

c capacity, K coefficient (scalar or tensor), r reaction, s source; all may depend on position, time,
region and on u. Weak form: f0 = c u_t + r u - s and f1 = K ∇u. In an axisymmetric section (x is the
radius, y the axis) dx carries the factor 2πx.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from plexus.deck.params import Field
from plexus.fields.arrays import diagonal, einsum, scaled, stack
from plexus.formulation.base import EquationBase
from plexus.formulation.entries import check_per_axis
from plexus.formulation.kinematics import Section, check_dimension
from plexus.formulation.properties import ScalarProperty, TensorProperty
from plexus.protocols import Array, Derived, FieldSpec, Flux, Point, Tangent

CAPACITY = Field(
    "consistent",
    description="consistent, or lumped at the nodes: at degree 1 without obtuse angles bounds hold",
)
"""Parameter of models whose capacity may be lumped."""


@dataclass(frozen=True)
class Coefficients:
    """The material functions of the balance; None stands for zero."""

    conduction: ScalarProperty | TensorProperty
    capacity: ScalarProperty | None = None
    reaction: ScalarProperty | None = None
    source: ScalarProperty | None = None

    def all(self) -> list[ScalarProperty]:
        """Return every scalar function in the balance."""
        k = self.conduction
        tensor: list[ScalarProperty] = [e for row in k for e in row] if isinstance(k, tuple) else [k]
        return tensor + [p for p in (self.capacity, self.reaction, self.source) if p is not None]


class Transport(EquationBase):
    """Equation of the scalar balance.

    Parameters
    ----------
    field : FieldSpec
        The scalar unknown u.
    coefficients : Coefficients
        Material functions.
    flux_field : FieldSpec
        Name and unit of the derived flux density -K∇u.
    section : Section
        What the mesh stands for; gives the factor on dx.
    lumped : bool
        Whether c u_t is integrated at the nodes.
    """

    near_nullspace = "constant"
    time_order = 1
    flux_field: FieldSpec

    def __init__(
        self,
        field: FieldSpec,
        coefficients: Coefficients,
        flux_field: FieldSpec,
        section: Section,
        lumped: bool = False,
    ):
        self.field = field
        self.coefficients = coefficients
        self.flux_field, self.flux_unit = flux_field, flux_field.unit
        self.section = section
        self.lumped = lumped
        # affine in u exactly if no coefficient reads u
        self.linear = not any(field.name in p.names for p in coefficients.all())

    def flux(self, p: Point) -> Flux:
        """Return f0 = c u_t + r u - s and f1 = K ∇u."""
        c = self.coefficients
        check_dimension(self.section.geometry, p.dim)
        # one line per term of the balance; absent coefficients leave no zeros to add
        terms = []
        if c.capacity is not None and not self.lumped:
            terms.append(c.capacity(p) * p.rate)
        if c.reaction is not None:
            terms.append(c.reaction(p) * p.u)
        if c.source is not None:
            terms.append(-c.source(p))
        return Flux(f0=_sum(terms), f1=self._conduct(p, p.grad))

    def tangent(self, p: Point) -> Tangent:
        """Return the explicit derivatives; only properties that depend on u cost anything."""
        c = self.coefficients
        # (c u_t + r u - s)' = c' u_t + r + r' u - s'
        capacity = None if self.lumped else c.capacity
        c00 = [
            _product(self._slope(capacity, p), lambda: p.rate),
            None if c.reaction is None else c.reaction(p),
            _product(self._slope(c.reaction, p), lambda: p.u),
            _product(self._slope(c.source, p), lambda: -1.0),
        ]
        c10 = self._conduction_slope(p)
        return Tangent(
            c00=_sum([term for term in c00 if term is not None]),
            c10=c10,
            c11=self._tensor(p),
            m00=None if capacity is None else capacity(p),
            # ∂f1/∂u = K'∇u has no counterpart in f0; otherwise K decides
            symmetric=c10 is None and self._symmetric,
        )

    @property
    def stored(self) -> Storage:
        """The capacity term, which `flux` leaves out where it is lumped."""
        assert self.coefficients.capacity is not None or not self.lumped
        return Storage(self.coefficients.capacity, self.field.name)

    def measure(self, x: Array) -> Array | None:
        """Return the section's factor on dx: 2πr, a thickness, or None."""
        return self.section.measure(x)

    def derived(self) -> Sequence[Derived]:
        """Return the flux density -K∇u."""
        return (Derived(self.flux_field, lambda p: -self._conduct(p, p.fields[self.field.name].grad)),)

    @cached_property
    def _symmetric(self) -> bool:
        """Whether K is symmetric, judged by what the deck says of its entries."""
        k = self.coefficients.conduction
        return not isinstance(k, tuple) or all(k[i][j] == k[j][i] for i in range(len(k)) for j in range(i))

    def _conduct(self, p: Point, grad: Array) -> Array:
        """Return K ∇u."""
        k = self.coefficients.conduction
        if isinstance(k, tuple):
            return einsum("...ij,...j->...i", self._tensor(p), grad)
        return scaled(k(p), grad)

    def _tensor(self, p: Point) -> Array:
        """Return K as (C|1, Q|1, d, d)."""
        k = self.coefficients.conduction
        if isinstance(k, tuple):
            check_per_axis(f"physics: tensor coefficient of {self.field.name}", len(k), p.dim)
            return _rows([[entry(p) for entry in row] for row in k])
        return diagonal(k(p), p.dim)

    def _conduction_slope(self, p: Point) -> Array | None:
        """Return ∂K/∂u ∇u, or None when K does not depend on u."""
        k = self.coefficients.conduction
        if not isinstance(k, tuple):
            return _product(self._slope(k, p), lambda: p.grad, axes=1)
        slopes = [[self._slope(entry, p) for entry in row] for row in k]
        if all(slope is None for row in slopes for slope in row):
            return None
        # entries without slope take zeros of the points' shape, so that the rows can be stacked
        zero = 0.0 * p.u
        return einsum("...ij,...j->...i", _rows([[_or(s, zero) for s in row] for row in slopes]), p.grad)

    def _slope(self, prop: ScalarProperty | None, p: Point) -> Array | None:
        """Return the derivative of a property in u, None for zero."""
        return None if prop is None else prop.derivative(p, self.field.name)


@dataclass(frozen=True)
class Storage:
    """The capacity term c u_t alone (`plexus.protocols.Integrated`)."""

    capacity: ScalarProperty | None
    name: str

    def flux(self, p: Point) -> Flux:
        """Return f0 = c u_t."""
        return Flux(f0=None if self.capacity is None else self.capacity(p) * p.rate)

    def tangent(self, p: Point) -> Tangent:
        """Return ∂f0/∂u = c' u_t and ∂f0/∂u_t = c."""
        if self.capacity is None:
            return Tangent(symmetric=True)
        slope = self.capacity.derivative(p, self.name)
        return Tangent(c00=_product(slope, lambda: p.rate), m00=self.capacity(p), symmetric=True)


def _sum(terms: list[Array]) -> Array | None:
    """Return the sum of the terms, None for no term."""
    return sum(terms[1:], terms[0]) if terms else None


def _product(slope: Array | None, factor: Callable[[], Array], axes: int = 0) -> Array | None:
    """Return slope·factor, or None without reading the factor; ``axes`` trailing axes are added to slope."""
    return None if slope is None else slope[(..., *[None] * axes)] * factor()


def _or(array: Array | None, zero: Array) -> Array:
    """Return ``zero`` for a missing array."""
    return zero if array is None else array


def _rows(entries: list[list[Array]]) -> Array:
    """Stack scalar arrays row by row into (C|1, Q|1, d, d)."""
    return stack([stack(row) for row in entries], -2)
