"""What steppers need of a discretised model, by capability; a system offers one or several of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from plexus.protocols.fields import Array, Values
from plexus.protocols.instants import Instant

if TYPE_CHECKING:
    from plexus.solvers.implicit import ImplicitProblem
    from plexus.stepping.passes import Passes


@runtime_checkable
class Implicit(Protocol):
    """Equations F(t, u, u_t) = 0, solved one unknown after the other."""

    evolving: Sequence[str]
    """Unknowns with a time derivative, in the order of solution."""
    instantaneous: Sequence[str]
    """Unknowns without one; they follow the others at the new time."""
    together: Mapping[str, Sequence[str]]
    """Those of the names above that stand for a block, solved as one -> all its unknowns, in order."""
    algebraic: frozenset[str]
    """Unknowns without time derivative in blocks that have others with one."""
    passes: Passes | None
    """How long a step is repeated until its equations agree; None for one pass over them."""

    def solve(self, name: str, values: Values, at: Instant, held: bool = False) -> int:
        """Solve the equation of one unknown in place, the others given; return Krylov iterations. Collective.

        Prescribed values are those of the instant, or with ``held`` those that ``values`` has already.
        """

    def complete(self, name: str, values: Values, t: float) -> None:
        """Solve the unknowns of a block without time derivative in place, its others held. Collective."""

    def advance(self, name: str, values: Values, at: Instant) -> Values:
        """Return the internal variables to which the solved equation of ``name`` leads; {} for none.

        ``values`` hold the solution; those of the instant stay untouched.
        """

    def prescribe(self, name: str, t: float, array: Array) -> None:
        """Set the prescribed values at time ``t`` in an array of the unknown, ghosts included."""

    def rms(self, name: str, array: Array) -> float:
        """Return the root mean square over all nodes of all ranks. Collective."""

    def largest(self, name: str, array: Array) -> float:
        """Return the largest magnitude over all ranks. Collective."""


@runtime_checkable
class TimeIntegrable(Implicit, Protocol):
    """Implicit equations that PETSc's TS can take as they are."""

    def implicit(self, name: str) -> ImplicitProblem:
        """Return the equations of one unknown in the form that TS integrates."""


@runtime_checkable
class Split(Protocol):
    """A model u_t = L u + N(u, t) of one unknown: L diagonal and stiff, N explicit."""

    unknown: str
    """Name of the tensor of modes in `plexus.fields.state.State.values`."""

    @property
    def linear(self) -> Array:
        """L, real, broadcasting to the modes; <= 0 but for modes that grow."""

    def explicit(self, hat: Array, t: float) -> Array:
        """Return the modes of N(u, t), dealiased. Collective."""

    def rms(self, hat: Array) -> float:
        """Return the root mean square of the field with these modes. Collective."""


@runtime_checkable
class Explicit(Protocol):
    """Rates u_t = f(u, t) of all unknowns."""

    evolving: Sequence[str]

    def rates(self, values: Values, t: float) -> Values:
        """Return the rates of the evolving unknowns, shaped as the values. Collective."""

    def longest(self, values: Values, t: float) -> float:
        """Return the longest step [s] of explicit methods at Courant number one, infinity for no bound.

        Collective.
        """

    def rms(self, name: str, array: Array) -> float:
        """Return the root mean square over all entries of all ranks. Collective."""

    def largest(self, name: str, array: Array) -> float:
        """Return the largest magnitude over all ranks. Collective."""


@runtime_checkable
class Waves(Explicit, Protocol):
    """Rates whose longest step follows from wave speeds and diffusivities: a Courant number has a meaning."""


@runtime_checkable
class Leaps(Explicit, Protocol):
    """Rates of fields on a grid, and whole steps by an operator, where a deck names one."""

    def leap(self, values: Values, t: float, dt: float) -> tuple[Values, Array]:
        """Return the values at ``t + dt``, and which members (N,) must not take the step. Collective."""


class Reduction(Protocol):
    """A reduced model that can march in the place of a full system."""

    def reduce(self, full: Any, values: Values, deck: Any) -> tuple[Any, Values]:
        """Return the system that marches in the place of ``full``, and its values at the start. Collective.

        Raises
        ------
        InputError
            If the deck has what the reduced model does not take.
        """
