"""Fields of a run by name: unknowns, derived fields, components, and expressions of all these."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from plexus.deck.params import Expression
from plexus.errors import InputError
from plexus.fields.state import State
from plexus.protocols import FieldSpec

AXES = "xyz"


class NamedFields(ABC):
    """Evaluates names at the nodes; remembers results until the state changes.

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
        self.specs: dict[str, FieldSpec] = {**shown, **derived}
        self._state: State | None = None
        self._known: dict[str, tuple[FieldSpec, np.ndarray]] = {}

    @abstractmethod
    def _named(self, name: str, state: State) -> np.ndarray:
        """Return the values (n_local, k) of a field of `specs`. Collective."""

    def evaluate(self, name: str, state: State) -> tuple[FieldSpec, np.ndarray]:
        """Return specification and values (n_local, k) of a field, a component or an expression. Collective.

        Raises
        ------
        InputError
            If the name is none of these.
        """
        self._meet(state)
        if name not in self._known:
            self._known[name] = self._find(name, state)
        return self._known[name]

    def _meet(self, state: State) -> None:
        """Forget what belongs to another state."""
        # every step makes a new state object, so identity is enough to tell old results
        if state is not self._state:
            self._state, self._known = state, {}

    def _find(self, name: str, state: State) -> tuple[FieldSpec, np.ndarray]:
        """Evaluate a name that is asked for the first time."""
        if name in self.specs:
            return self.specs[name], self._named(name, state)
        part = self._component(name, state)
        return part if part is not None else self._expression(name, state)

    def _component(self, name: str, state: State) -> tuple[FieldSpec, np.ndarray] | None:
        """Return one component of a vector or tensor, e.g. ``displacement_x``, ``stress_xy``."""
        base, _, letters = name.rpartition("_")
        spec = self.specs.get(base)
        rank = {"vector": 1, "tensor": 2}.get(spec.shape) if spec else None
        if spec is None or len(letters) != rank or set(letters) - set(AXES):
            return None
        array = self.evaluate(base, state)[1]
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
        return part, array[:, column : column + 1]

    def _expression(self, text: str, state: State) -> tuple[FieldSpec, np.ndarray]:
        """Evaluate an expression of coordinates, time, parameters and scalar fields."""
        try:
            expression = Expression(text, self.constants)
        except ValueError as error:
            raise InputError(f"{text!r} is neither a field nor an expression: {error}") from None
        points = self.space.points
        names: dict[str, Any] = {a: points[:, k] for k, a in enumerate(AXES[: points.shape[1]])}
        names["t"] = state.t
        for name in expression.names:
            if name in names:
                continue
            if name == text.strip() or not self._is_field(name):
                near = difflib.get_close_matches(name, self.specs, n=1)
                hint = f"; did you mean {near[0]}?" if near else f"; fields are {', '.join(self.specs)}"
                raise InputError(f"there is no field {name!r}{hint}")
            spec, array = self.evaluate(name, state)
            if spec.shape != "scalar":
                raise InputError(f"{text!r}: {name} has components; name one, e.g. {name}_x")
            names[name] = array[:, 0]
        values = np.broadcast_to(np.asarray(expression(names), dtype=float), len(points))
        return FieldSpec(text, "", "scalar", "expression"), values[:, None].copy()

    def _is_field(self, name: str) -> bool:
        """Return whether a name is a field or a component of one."""
        return name in self.specs or name.rpartition("_")[0] in self.specs
