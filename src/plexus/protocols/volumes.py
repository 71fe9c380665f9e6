"""Conservation laws, pointwise, and what turns them into fluxes through the faces of cells.

Fields are tensors: scalars (N, *places), others (N, m, *places), N members of an ensemble that share
everything but their values. Places are cells or faces of a grid, one axis of the tensor per axis of the grid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from plexus.protocols.fields import Array, FieldSpec, Values
from plexus.protocols.weak import Sample


class GridPoint(Protocol):
    """What a law may look at besides values, for all places of one kind at once."""

    t: float
    dim: int

    @property
    def one(self) -> Array:
        """The number one as an array of the device: turns a constant into a coefficient."""

    @property
    def x(self) -> Array:
        """Coordinates (*places, d) [m]."""

    @property
    def fields(self) -> Mapping[str, Sample]:
        """Samples by name; empty unless the law itself puts them in."""

    @property
    def regions(self) -> Mapping[str, Array]:
        """Region name -> boolean mask (*places)."""


@dataclass(frozen=True)
class SideLaw:
    """What holds on a side of a grid: the flux g - a u enters, or nothing diffuses and waves leave.

    Attributes
    ----------
    value, coefficient : properties g and a of points; without a the flux is given.
    open : nothing diffuses through the side, and waves leave.
    """

    value: Callable[[Any], Array] | None = None
    coefficient: Callable[[Any], Array] | None = None
    open: bool = False


@runtime_checkable
class OnSides(Protocol):
    """A boundary term that has a meaning on the sides of a grid."""

    def side(self) -> SideLaw:
        """Return what it states."""


class Conservation(Protocol):
    """u_t + Σ_a ∂_a f_a(u) = ∇·(D ∇u) + s at a point; results broadcast to the fields' shapes."""

    linear: bool
    """Whether fluxes and sources are affine in u."""
    boundary_terms: tuple[str, ...]
    """Members of kind ``boundary`` that the law accepts."""

    def flux(self, u: Values, p: GridPoint, axis: int) -> Values:
        """Return f_a of every field along one axis."""

    def speed(self, u: Values, p: GridPoint, axis: int) -> Array:
        """Return the speed of the fastest wave along one axis [m/s], with its sign where there is but one."""

    def sonic(self, p: GridPoint, axis: int) -> Values:
        """Return the states whose waves stand still; empty where there is none, as in linear laws."""

    def diffusivity(self, u: Values, p: GridPoint) -> Values:
        """Return D of the fields that diffuse [m²/s]; empty without diffusion."""

    def source(self, u: Values, p: GridPoint) -> Values:
        """Return s of the fields that have one; empty without sources."""


@runtime_checkable
class Quadratic(Protocol):
    """A law of one scalar whose fluxes are f_a(u) = a u + b u²/2: compiled code can take them."""

    def wave(self, p: GridPoint, axis: int) -> tuple[Array | float, float]:
        """Return a, a number or values at the places, and b, a number, along one axis."""


@runtime_checkable
class Holds(Protocol):
    """A law a(u)_t + Σ_a ∂_a f_a(u) = ∇·(D ∇u) + s whose cells hold amounts a(u) other than the unknowns.

    Amounts grow with the unknowns, and at least as they do. Fluxes, sources and sides see the unknowns, steppers
    the amounts, so that sums of these are kept by every method.
    """

    amounts: Mapping[str, FieldSpec]
    """Unknown -> what of it a cell holds."""

    def stored(self, u: Values) -> Values:
        """Return the amounts a(u)."""

    def released(self, amounts: Values) -> Values:
        """Return the unknowns of amounts, differentiable."""

    def capacity(self, u: Values) -> Values:
        """Return ∂a/∂u, which may be infinite."""


@runtime_checkable
class Compiled(Protocol):
    """A reconstruction or Riemann solver that `plexus_kernels.native.transport` has too."""

    compiled: Mapping[str, int]
    """Choices of the compiled kernel by name."""


class VolumePhysics(Conservation, Protocol):
    """A member of kind ``physics`` on the cells of a grid."""

    discretisation: ClassVar[str]

    @staticmethod
    def fields(params: Any) -> Sequence[FieldSpec]:
        """Return the unknowns for given parameters; needs no MPI, PETSc or torch."""


class Reconstruction(Protocol):
    """A member of kind ``reconstruction``: values on faces from means of cells."""

    order: int
    """Order of the values where the field is smooth."""
    width: int
    """Cells on each side of a face that it reads."""

    def faces(self, u: Array, axis: int) -> tuple[Array, Array]:
        """Return the values on the lower and the upper side of each face between 2·width cells of an axis.

        From n + 2·width means along it come n + 1 faces.
        """


class Riemann(Protocol):
    """A member of kind ``riemann``: a flux from the values on both sides of faces."""

    def flux(self, law: Conservation, lower: Values, upper: Values, p: GridPoint, axis: int) -> Values:
        """Return the flux of every field along an axis."""
