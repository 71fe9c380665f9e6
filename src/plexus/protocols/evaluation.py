"""What a run asks of its fields: values at places, integrals, extrema, flows, and their units."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from plexus.protocols.fields import Array, FieldSpec, Location
from plexus.protocols.weak import Point

if TYPE_CHECKING:
    import numpy as np

    from plexus.deck.params import Expression
    from plexus.fields.state import State
    from plexus.io.piece import Piece
    from plexus.protocols.facets import Facets
    from plexus.spaces.evaluate import Part

Integrand = Callable[[Point], Array]
"""A function of a point, (C, Q) or (C, Q, m)."""


class Places(Protocol):
    """Positions that were found in a mesh or grid."""

    def evaluate(self, space: Any, array: np.ndarray) -> np.ndarray:
        """Return the values of nodal rows (n_local, m) at the positions, (k, m) on all ranks. Collective."""


class Shares(Places, Protocol):
    """Positions in a grid, or among the values of members: values are sums of what ranks add."""

    def share(self, space: Any, rows: Array) -> Array:
        """Return what own rows (n_owned, m), an array or a tensor, add to the values, (k, m)."""


class Evaluation(Protocol):
    """All fields of one state by name, and numbers computed from them.

    It looks at one state at a time and remembers what it has computed until it is shown another one. Where
    a call is collective, its result is the same on all ranks.
    """

    specs: Mapping[str, FieldSpec]
    """All fields: unknowns, derived ones, internal variables."""
    shown: Mapping[str, FieldSpec]
    """Those that an output shows which names none."""
    degree: int
    """Polynomial degree up to which the fields are exact in a cell."""

    def look(self, state: State) -> None:
        """Turn to a state; what belongs to another state object is forgotten."""

    def piece(self) -> Piece:
        """Return this rank's part of the grid, whose points are the rows of nodal values."""

    def evaluate(self, name: str, internal: Location = "node") -> tuple[FieldSpec, Location, np.ndarray]:
        """Return specification, location and values (n, k) of a field, component or expression. Collective.

        The location says what the n rows stand for: nodes for everything but internal variables and their
        components, which are given as ``internal`` says: recovered at the nodes, as means over the owned
        cells, or as they are stored at the points of all local cells.

        Raises
        ------
        InputError
            If the name is none of these.
        """

    def stored(self, name: str) -> tuple[tuple[float, ...], ...]:
        """Return the points in the reference cell at which a field is known; none where nodes know it."""

    def field(self, name: str) -> Integrand:
        """Return a field or one of its components as a function of a point."""

    def integrand(self, expression: Expression) -> Integrand:
        """Return an expression of coordinates, time and fields as a function of a point."""

    def integrate(self, f: Integrand, part: Part, degree: int | None = None, bare: bool = False) -> float:
        """Return ∫ f over a part, by a rule of exact ``degree`` where there is a choice. Collective.

        An axisymmetric body counts with 2πr, a plane section with its thickness; ``bare`` leaves these out.
        """

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Return the largest or smallest value at the nodes of a part; a value that is lost wins. Collective.

        Raises
        ------
        InputError
            If the part has no cell or facet.
        """

    def locate(self, xs: np.ndarray) -> Places:
        """Find positions (k, d) [m]; the same ones are found once. Collective.

        Raises
        ------
        InputError
            If a position lies outside.
        """

    def sample(self, name: str, places: Places) -> tuple[FieldSpec, np.ndarray]:
        """Return specification and values (k, m) of what `evaluate` knows, at places. Collective."""

    def value(self, expression: Expression, at: Sequence[float]) -> float:
        """Return an expression at one place, from the values of its fields there. Collective."""

    def unit(self, name: str) -> str:
        """Return the unit of a field or of a component of one, empty for a pure number."""

    def unit_of(self, expression: Expression) -> str:
        """Return the unit of a field, component or coordinate; empty for anything that is computed."""

    def integrated(self, unit: str, part: Part, power: float = 1.0) -> str:
        """Return the unit of (∫ f^(1/power))^power over a part, for f in ``unit``."""


@runtime_checkable
class Balances(Protocol):
    """An `Evaluation` of weak forms: what passes through boundaries so that balances close."""

    specs: Mapping[str, FieldSpec]
    """All fields: unknowns, derived ones, internal variables."""

    def field(self, name: str) -> Integrand:
        """Return a field or one of its components as a function of a point."""

    def jumps(self, names: Collection[str], xs: np.ndarray) -> np.ndarray:
        """Return the numbers of positions (k, d) where what reads these names has several values. Collective.

        Materials meet there.
        """

    def require(self, part: Part, f: Integrand | None, outer: bool = False) -> None:
        """Refuse a part without cells or facets, or whose facets have two sides that differ. Collective.

        They differ in anything but the unknowns: ``f`` is what shall be looked at, None if it needs a side in
        any case. With ``outer`` facets inside the body are refused altogether.

        Raises
        ------
        InputError
            If the part is none, or if no side of facets inside the body is named.
        """

    def outflow(self, flux: str, boundary: Facets) -> float:
        """Return what boundary terms let out of the body through a boundary. Collective.

        Raises
        ------
        InputError
            If no balance has this flux, or if its unknown is prescribed on a part of the boundary.
        """

    def reaction(self, name: str, boundary: Facets, component: int = 0) -> float:
        """Return what the prescribed values of an unknown on a boundary feed into the body. Collective.

        Raises
        ------
        InputError
            If it has no such component.
        """

    def kink(self, name: str, boundary: Facets) -> float:
        """Return the least angle [rad] of a boundary with other supports, π/2 without any. Collective."""

    def flux_unit(self, name: str) -> str:
        """Return the unit of what an unknown's balance exchanges per area; empty where it is not known."""


@runtime_checkable
class Spectra(Protocol):
    """An `Evaluation` of fields on a periodic grid: their power by wave number."""

    def spectrum(self, name: str) -> np.ndarray:
        """Return the power of a field or component in the complete shells κ = 0, 1, ... Collective."""


@runtime_checkable
class Tangents(Protocol):
    """An `Evaluation` of a model that carries a tangent of its flow along.

    A quantity that needs it has a parameter ``after``: the time [s] from which growth is counted.
    """

    def growth_rate(self, after: float) -> float:
        """Return the mean growth rate of the tangent [1/s] since a time, over all members. Collective.

        Not a number where no time has passed since then.
        """
