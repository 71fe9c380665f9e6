"""Fields of a state by name: unknowns, derived fields, components, and expressions of all these."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from plexus.coupling.units import times_length
from plexus.deck.dimensions import coherent
from plexus.deck.params import Expression
from plexus.deck.property import PointNames
from plexus.errors import InputError
from plexus.fields.state import State
from plexus.formulation.points import Values, View
from plexus.io.piece import Piece
from plexus.protocols import FieldSpec, Integrand, Location, Places
from plexus.spaces.evaluate import Part

AXES = "xyz"
COORDINATES = {"x": "m", "y": "m", "z": "m", "t": "s"}
"""Names that every expression may use -> their units."""
Evaluated = tuple[FieldSpec, Location, np.ndarray]
"""Specification, location, values (n_local, k)."""


class NamedFields(ABC):
    """An `Evaluation` whose values stand at nodes; it remembers results until the state changes.

    Parameters
    ----------
    space
        The nodes that all fields share (`plexus.spaces.lagrange.Space`, `plexus.spaces.grid.GridSpace`).
    shown
        Fields that an output shows which names none.
    derived
        All others.
    constants
        Deck parameters that expressions may use.
    """

    def __init__(
        self,
        space: Any,
        shown: Mapping[str, FieldSpec],
        derived: Mapping[str, FieldSpec],
        constants: Mapping[str, float],
    ):
        self.space, self.shown, self.constants = space, shown, constants
        self.specs: Mapping[str, FieldSpec] = {**shown, **derived}
        self.degree: int = space.degree
        self._state: State | None = None
        self._known: dict[tuple[str, Location], Evaluated] = {}
        self._places: dict[tuple[Any, ...], Places] = {}

    @abstractmethod
    def _named(self, name: str) -> np.ndarray:
        """Return the nodal values (n_local, k) of a field of `specs`. Collective."""

    @abstractmethod
    def _located(self, xs: np.ndarray) -> Places:
        """Find positions (k, d) [m]. Collective."""

    @abstractmethod
    def field(self, name: str) -> Integrand:
        """Return a field or one of its components as a function of a point."""

    @abstractmethod
    def integrand(self, expression: Expression) -> Integrand:
        """Return an expression of coordinates, time and fields as a function of a point."""

    @abstractmethod
    def integrate(self, f: Integrand, part: Part, degree: int | None = None, bare: bool = False) -> float:
        """Return ∫ f over a part. Collective."""

    @abstractmethod
    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Return the largest or smallest value at the nodes of a part. Collective."""

    def stored(self, name: str) -> tuple[tuple[float, ...], ...]:
        """Return the points in the reference cell at which a field is known; none where nodes know it."""
        return ()

    def piece(self) -> Piece:
        """Return this rank's part of the grid, whose points are the rows of nodal values."""
        found: Piece = self.space.piece()
        return found

    @property
    def state(self) -> State:
        """The state that is looked at."""
        assert self._state is not None, "no state to look at yet"
        return self._state

    def look(self, state: State) -> None:
        """Turn to a state and forget what belongs to another one."""
        # every step makes a new state object, so identity is enough to tell old results
        if state is not self._state:
            self._state, self._known = state, {}

    def evaluate(self, name: str, internal: Location = "node") -> Evaluated:
        """Return specification, location and values (n, k) of a field or expression. Collective.

        ``internal`` says where internal variables are wanted; all others stand at the nodes.

        Raises
        ------
        InputError
            If the name is none of these.
        """
        key = name, internal
        if key not in self._known:
            self._known[key] = self._find(name, internal)
        return self._known[key]

    def locate(self, xs: np.ndarray) -> Places:
        """Find positions (k, d) [m]; the same ones are found once. Collective.

        Raises
        ------
        InputError
            If a position lies outside the mesh.
        """
        key = (xs.shape, xs.tobytes())
        if key not in self._places:
            self._places[key] = self._located(xs)
        return self._places[key]

    def sample(self, name: str, places: Places) -> tuple[FieldSpec, np.ndarray]:
        """Return specification and values (k, m) of what `evaluate` knows, at places. Collective."""
        spec, _, array = self.evaluate(name)
        return spec, places.evaluate(self.space, array)

    def value(self, expression: Expression, at: Sequence[float]) -> float:
        """Return an expression at one place, from the values of its fields there. Collective."""
        # derived fields jump between cells: the nodal ones have one value that no partition changes
        places, samples = self.locate(np.array([at])), {}
        for name in self.specs:
            # stress_xy reads stress; von_mises is a field itself
            if any(n == name or n.rpartition("_")[0] == name for n in expression.names):
                _, value = self.sample(name, places)
                # (1, m) of one place to the (C, Q[, m]) of a batch with one cell and one point
                scalar = self.specs[name].shape == "scalar"
                samples[name] = Values(value if scalar else value[:, None, :])
        view = View(None, fields=samples, x=np.array([[at]]), t=self.state.t, dim=len(at))
        return float(np.asarray(expression(PointNames(view))).reshape(()))

    def unit(self, name: str) -> str:
        """Return the unit of a field or of a component of one, empty for a pure number."""
        unit = (self.specs.get(name) or self.specs[name.rpartition("_")[0]]).unit
        return "" if unit == "1" else unit

    def unit_of(self, expression: Expression) -> str:
        """Return the unit of an expression; empty for a pure number and where numbers may have any unit."""
        name = expression.text.strip()
        if name in expression.names:
            return COORDINATES.get(name) or self.unit(name)
        return expression.computed_unit(self._known_unit)

    def _known_unit(self, name: str) -> str | None:
        """Return the unit of a name for arithmetic, None where it is not known."""
        spec = self.specs.get(name) or self.specs.get(name.rpartition("_")[0])
        return spec.unit if spec is not None and coherent(spec.unit) else None

    def integrated(self, unit: str, part: Part, power: float = 1.0) -> str:
        """Return the unit of (∫ f^(1/power))^power over a part, for f in ``unit``."""
        dim: int = self.space.mesh.dim
        return times_length(unit, power * (dim - (part.boundary is not None) + self._has_thickness()))

    def _has_thickness(self) -> bool:
        """Return whether integrals count with another length, 2πr or a thickness."""
        return False

    def _stored(self, name: str, internal: Location) -> tuple[Location, np.ndarray] | None:
        """Return location and values of an internal variable, None for other fields."""
        return None

    def _find(self, name: str, internal: Location) -> Evaluated:
        """Evaluate a name that is asked for the first time."""
        if name in self.specs:
            location, values = self._stored(name, internal) or ("node", self._named(name))
            return self.specs[name], location, values
        part = self._component(name, internal)
        return part if part is not None else self._expression(name)

    def _component(self, name: str, internal: Location) -> Evaluated | None:
        """Return one component of a vector or tensor, e.g. ``displacement_x``, ``stress_xy``."""
        base, _, letters = name.rpartition("_")
        spec = self.specs.get(base)
        rank = {"vector": 1, "tensor": 2}.get(spec.shape) if spec else None
        if spec is None or len(letters) != rank or set(letters) - set(AXES):
            return None
        _, location, array = self.evaluate(base, internal)
        if spec.shape == "vector":
            column = AXES.index(letters)
        else:
            # d x d tensors of the equation, or 3 x 3 where it is three-dimensional in a plane section
            side = round(array.shape[1] ** 0.5)
            row, col = (AXES.index(c) for c in letters)
            column = row * side + col if max(row, col) < side else array.shape[1]
        if column >= array.shape[1]:
            raise InputError(f"{name}: {base} has {array.shape[1]} components here")
        part = FieldSpec(name, spec.unit, "scalar", f"{letters} component of {base}")
        return part, location, array[:, column : column + 1]

    def _expression(self, text: str) -> Evaluated:
        """Evaluate an expression of coordinates, time, parameters and scalar fields."""
        try:
            expression = Expression(text, self.constants)
        except ValueError as error:
            raise InputError(f"{text!r} is neither a field nor an expression: {error}") from None
        points = self.space.points
        names: dict[str, Any] = {a: points[:, k] for k, a in enumerate(AXES[: points.shape[1]])}
        names["t"] = self.state.t
        for name in expression.names:
            if name in names:
                continue
            if name == text.strip() or not self._is_field(name):
                near = difflib.get_close_matches(name, self.specs, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; fields are {', '.join(self.specs)}"
                raise InputError(f"there is no field {name!r}{hint}")
            spec, _, array = self.evaluate(name)
            if spec.shape != "scalar":
                raise InputError(f"{text!r}: {name} has components; name one, e.g. {name}_x")
            names[name] = array[:, 0]
        values = np.broadcast_to(np.asarray(expression(names), dtype=float), len(points))
        return (
            FieldSpec(text, self.unit_of(expression), "scalar", "expression"),
            "node",
            values[:, None].copy(),
        )

    def _is_field(self, name: str) -> bool:
        """Return whether a name is a field or a component of one."""
        return name in self.specs or name.rpartition("_")[0] in self.specs
