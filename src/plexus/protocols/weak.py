"""The weak form: what an equation sees at points, and what it gives back.

Index letters used for shapes: ``C`` cells (or facets) of one batch, ``Q`` quadrature points, ``n`` nodes of a
cell, ``m`` components of a field (absent for scalars), ``d`` space dimension.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

from plexus.protocols.fields import Array, FieldSpec


class Sample(Protocol):
    """Value and gradient of one field at the points of a batch; computed on first access."""

    @property
    def value(self) -> Array:
        """Return the value, (C, Q) for a scalar field, (C, Q, m) for a vector."""

    @property
    def grad(self) -> Array:
        """Return the gradient, (C, Q, d) for a scalar field, (C, Q, m, d) for a vector."""


class Point(Protocol):
    """Everything that an integrand may look at, for one batch of cells or facets.

    All members are computed on first access, so an integrand pays only for what it reads.
    """

    t: float
    dim: int
    dt: float
    """Length of the step [s]; 0 in a steady solve and where a present state is looked at."""

    @property
    def before(self) -> Mapping[str, Array]:
        """Internal variables at the start of the step by name, (C, Q) or (C, Q, m).

        Where a present state is looked at, they are those of that state.
        """

    small: float
    """Length below which a distance is rounding [m]: a billionth of the mesh's extent."""

    @property
    def jxw(self) -> Array:
        """Integration weights (C, Q): volume in cells, area on facets."""

    @property
    def inside(self) -> Point | None:
        """The same cells at the points at which forms integrate; None where a point belongs to no cell."""

    def mean_divergence(self, name: str) -> Array:
        """Return the mean divergence of a vector field over each cell, by the points of `inside`, (C, 1)."""

    @property
    def other(self) -> Point:
        """The same points of a facet inside the body, seen from the other side; for terms `across` only."""

    @property
    def element(self) -> tuple[int, bool]:
        """Degree of the elements, and whether they are simplices."""

    @property
    def one(self) -> Array:
        """The number one as a (1, 1) array of the batch's kind: turns a constant into a coefficient."""

    @property
    def x(self) -> Array:
        """Coordinates (C, Q, d) [m]."""

    @property
    def u(self) -> Array:
        """The equation's own unknown, (C, Q) or (C, Q, m)."""

    @property
    def grad(self) -> Array:
        """Gradient of the own unknown, (C, Q, d) or (C, Q, m, d)."""

    @property
    def rate(self) -> Array:
        """Time derivative of the own unknown, shaped as ``u``; zeros in a steady solve."""

    @property
    def normal(self) -> Array:
        """Outward unit normal (C, Q, d); only on facets."""

    @property
    def fields(self) -> Mapping[str, Sample]:
        """Samples of all fields of the run by name (own unknown included).

        Internal variables are among them, with their latest known values and without gradients: an equation
        sees its own at the start of the step, and those of equations solved before it at the end.
        """

    @property
    def regions(self) -> Mapping[str, Array]:
        """Region name -> boolean mask (C, 1) of the batch's cells."""


@dataclass(frozen=True)
class Flux:
    """Integrand of the weak form: F(u; v) = ∫ f0·v + f1:∇v dx; None means zero.

    Shapes: f0 (C, Q) or (C, Q, m); f1 (C, Q, d) or (C, Q, m, d). Leading axes may be 1. Those of a block of
    fields have the components of all its fields behind each other as m.
    """

    f0: Array | None = None
    f1: Array | None = None


@dataclass(frozen=True)
class Joint:
    """What couples the points of a cell: Σ_kl B_k(v) W_kl B_l(u), B_k(v) = ∫ b0_k·v + b1_k:∇v dx.

    ``b1`` (C|1, Q|1, k, m, d), ``b0`` (C|1, Q|1, k, m) or None, ``weight`` W (C, k, k), symmetric.
    """

    b1: Array
    weight: Array
    b0: Array | None = None


@dataclass(frozen=True)
class Tangent:
    """Derivatives of a `Flux`; None means zero, axes C and Q may be 1 (broadcast).

    ``c00`` = ∂f0/∂u, ``c01`` = ∂f0/∂∇u, ``c10`` = ∂f1/∂u, ``c11`` = ∂f1/∂∇u, ``m00`` = ∂f0/∂u_t.
    Scalar field: c00 and m00 (C, Q), c01 and c10 (C, Q, d), c11 (C, Q, d, d).
    Vector field or block: c00 and m00 (C, Q, m, m), c10 (C, Q, m, d, m), c11 (C, Q, m, d, m, d),
    c01 (C, Q, m, m, d) [f component, u component, direction].
    ``joint`` is what the flux at a point takes from the other points of its cell, for vector fields.
    ``across`` = ∂f0/∂u⁺, shaped as c00, with u⁺ the unknown on the other side of a facet inside the body.
    ``symmetric`` states that the resulting matrix is symmetric.
    """

    c00: Array | None = None
    c01: Array | None = None
    c10: Array | None = None
    c11: Array | None = None
    m00: Array | None = None
    joint: Joint | None = None
    across: Array | None = None
    symmetric: bool = False


@dataclass(frozen=True)
class Derived:
    """A field computed from the unknowns, e.g. a stress: specification and formula at points."""

    spec: FieldSpec
    formula: Callable[[Point], Array]
    stored: bool = False
    """Whether it reads memory: known at the quadrature points like it, elsewhere recovered from there."""


class BoundaryTerm(Protocol):
    """A weak term on a named boundary: adds ∫_Γ f0·v ds to F(u; v); ``f1`` stays None.

    A term with a true attribute ``across`` stands on facets inside the body, at which fields jump: it is
    looked at from both sides, and sees in `Point.other` what is behind.
    """

    def flux(self, p: Point) -> Flux:
        """Return the integrand on the facets of the boundary."""

    def tangent(self, p: Point) -> Tangent:
        """Return its derivative (only c00, and ``across``)."""


class Integrated(Protocol):
    """What forms integrate over cells: a flux and its derivatives."""

    def flux(self, p: Point) -> Flux:
        """Return f0 and f1 at the points."""

    def tangent(self, p: Point) -> Tangent:
        """Return the derivatives of `flux`."""


@runtime_checkable
class Stores(Protocol):
    """An equation whose capacity term may be integrated apart from the rest, at the nodes."""

    lumped: bool
    """Whether it is: `flux` and `tangent` are without it then."""

    @property
    def stored(self) -> Integrated:
        """The capacity term c u_t."""


class Equation(Protocol):
    """One unknown field, or a block of several that are solved together, and the weak form of it."""

    field: FieldSpec
    """The unknown; of a block the first, which names its solver. It evolves if any of them does."""

    @property
    def fields(self) -> Sequence[FieldSpec]:
        """All unknowns. `Point.u` of a block has their components behind each other, (C, Q, m)."""

    @property
    def evolving(self) -> Sequence[str]:
        """Names of the unknowns with a time derivative; the others follow from them at every instant."""

    linear: bool
    """True when flux is affine in u, so that one linear solve is exact."""
    time_order: int
    """0: no time derivative (solved at the new time), 1: contains u_t."""
    boundary_terms: tuple[str, ...]
    """Names of the members of kind ``boundary`` that this equation accepts."""
    near_nullspace: Literal["constant", "rigid"]
    """Rigid motions are those of fields with as many components as directions; of others constants remain."""
    quadrature: int
    """Degree of the polynomials that are integrated exactly, in degrees of the element."""
    internal: Sequence[FieldSpec]
    """What the equation remembers at its quadrature points; a tensor has 3 x 3 components."""
    lacking: Sequence[str]
    """Material data without which there is no time derivative, where they are missing."""
    smooth: bool
    """True: the internal variables follow rate equations z_t = g(u, z), so that steppers may extrapolate
    them; False: they follow the path of u, as a plastic strain does."""
    learned: Mapping[str, Any]
    """Deck path -> learned part that the equation asks at its points, see `judge`; empty for most."""
    flux_unit: str
    """Unit of f1 and of what boundary terms exchange per area; empty where it is not known."""

    @property
    def flux_field(self) -> FieldSpec | None:
        """The derived field q of a balance, of which boundary terms give q·n; None where there is none."""

    def flux(self, p: Point) -> Flux:
        """Return f0 and f1 at the points."""

    def tangent(self, p: Point) -> Tangent:
        """Return the derivatives of `flux`; `plexus.formulation.base.EquationBase` differentiates `flux`."""

    def advance(self, p: Point) -> Mapping[str, Array]:
        """Return the internal variables at the end of the step, (C, Q) or (C, Q, m), from the solved unknown.

        `flux` solves the same local equations, so that residual and memory agree.
        """

    def judge(self, p: Point) -> None:
        """Show a solution to what watches the `learned` parts."""

    def measure(self, x: Array) -> Array | None:
        """Return the factor on dx and ds, (C, Q), e.g. 2πr or a thickness; None for 1."""

    def derived(self) -> Sequence[Derived]:
        """Return the derived fields that this equation offers to outputs and quantities."""


class WeakPhysics(Protocol):
    """A model on elements: equations solved in the listed order, each seeing the fields before it."""

    equations: Sequence[Equation]

    @staticmethod
    def fields(params: Any) -> Sequence[FieldSpec]:
        """Return the unknowns for given parameters; needs no MPI, PETSc or torch."""
