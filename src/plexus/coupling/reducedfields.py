"""Fields of a reduced run: those of the whole body, made from the coordinates when somebody asks.

What is linear in the displacement (a probe, a mean, an integral of its components) is known for each mode
once, and then costs a product of n numbers. Other fields need the displacement at all nodes, and most the
memory at all points.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.coupling.nodal import NodalFields, Reading
from plexus.deck.params import Expression
from plexus.fields.state import State

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.protocols import FieldSpec, Integrand, Places
    from plexus.spaces.evaluate import Part
    from plexus.spaces.points import Room

Array = np.ndarray
LINEAR = (ast.Expression, ast.BinOp, ast.UnaryOp, ast.Name, ast.Constant, ast.Add, ast.Sub, ast.Mult, ast.Div,
          ast.USub, ast.UAdd, ast.Load)  # fmt: skip
"""Parts of a text that may be linear in a name; its derivative tells."""


class CostlyError(Exception):
    """What was asked for needs fields of the whole body, and only what needs none was wanted."""


class Made(Mapping[str, Any]):
    """Arrays by name, made together when the first is asked for."""

    def __init__(self, names: Mapping[str, Any], make: Callable[[], Mapping[str, Array]]):
        self.names, self.make = names, make
        self._arrays: Mapping[str, Array] | None = None

    def __getitem__(self, name: str) -> Array:
        if name not in self.names:
            raise KeyError(name)
        if self._arrays is None:
            self._arrays = self.make()
        return self._arrays[name]

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class ReducedFields(NodalFields):
    """Evaluates names on the whole body."""

    def __init__(self, system: ReducedSystem, constants: Mapping[str, float]):
        self.reduced = system
        self._body: State | None = None
        self._numbers: dict[Any, Any] = {}
        self._linear: dict[Any, bool] = {}
        self._places_kept: dict[int, Places] = {}
        self._spare = False
        self._tried: Array | None = None
        super().__init__(system.full, constants)

    def look(self, state: State) -> None:
        """Turn to a state."""
        if state is not self._state:
            self._body = None
        super().look(state)

    @contextmanager
    def spare(self) -> Iterator[None]:
        """Refuse all that needs fields of the whole body.

        Raises
        ------
        CostlyError
            Inside, on all ranks, where something does.
        """
        self._spare = True
        try:
            yield
        finally:
            self._spare = False

    @property
    def state(self) -> State:
        """The state of the whole body; its arrays are made when they are asked for, which is collective."""
        if self._body is None:
            coordinates, reduced = super().state, self.reduced
            u = Made({reduced.name: None}, lambda: self._made(lambda: self._displacement(coordinates)))
            rows = Made(reduced.full.points, lambda: self._made(lambda: reduced.remembered(coordinates)))
            values: Any = u
            self._body = State(values, coordinates.t, coordinates.step, rows)
        return self._body

    def _displacement(self, coordinates: State) -> Mapping[str, Array]:
        """Return the displacement of a state, or of the numbers that are tried."""
        if self._tried is None:
            return self.reduced.displacement(coordinates)
        return {self.reduced.name: self.reduced.whole.combined(self._tried)}

    def _made(self, make: Callable[[], Mapping[str, Array]]) -> Mapping[str, Array]:
        if self._spare:
            raise CostlyError
        return make()

    def _given(self, f: Integrand) -> dict[str, tuple[Room, np.ndarray]]:
        """Return what a function may read; the memory only where it does."""
        if not isinstance(f, Reading) or f.reads(self.system.points | self._at_points):
            return super()._given(f)
        controls, name = self.system.controls, self.reduced.name
        known: dict[str, tuple[Room, np.ndarray]]
        known = {n: (controls.members[n], a) for n, a in controls.values.items()}
        return known | {name: (self.system.spaces[name], self.state.values[name])}

    def integrate(self, f: Integrand, part: Part, degree: int | None = None, bare: bool = False) -> float:
        """Return ∫ f over a part. Collective."""
        if isinstance(f, Reading) and self._is_linear(f.of):
            constant, slopes = self._affine(
                (f.of, part, degree, bare), lambda: self._whole(f, part, degree, bare)
            )
            return float(constant + slopes @ self._coordinates)
        if self._spare:
            raise CostlyError
        return self._whole(f, part, degree, bare)

    def _whole(self, f: Integrand, part: Part, degree: int | None, bare: bool) -> float:
        return super().integrate(f, part, degree, bare)

    def extremum(self, f: Integrand, part: Part, largest: bool) -> float:
        """Return the largest or smallest value at the nodes or points of a part. Collective."""
        if self._spare:
            raise CostlyError
        return super().extremum(f, part, largest)

    def sample(self, name: str, places: Places) -> tuple[FieldSpec, np.ndarray]:
        """Return specification and values (k, m) of what `evaluate` knows, at places. Collective."""
        if self.reduced.full_order or self.reduced.name not in (name, name.rpartition("_")[0]):
            return super().sample(name, places)
        # the place is kept alive: its number names it
        self._places_kept[id(places)] = places
        sample = super().sample
        constant, slopes = self._affine((name, id(places)), lambda: sample(name, places)[1])
        spec = self.specs.get(name) or self._part(name)
        return spec, constant + slopes @ self._coordinates

    def value(self, expression: Expression, at: Sequence[float]) -> float:
        """Return an expression at one place. Collective."""
        whole = super().value
        if not self._is_linear(expression):
            return whole(expression, at)
        constant, slopes = self._affine((expression, tuple(at)), lambda: whole(expression, at))
        return float(constant + slopes @ self._coordinates)

    def _part(self, name: str) -> FieldSpec:
        """Return the specification of a component of the unknown."""
        key = "spec", name
        if key not in self._numbers:
            self._numbers[key] = self._at(np.zeros(len(self._coordinates)), lambda: self.evaluate(name)[0])
        found: FieldSpec = self._numbers[key]
        return found

    def evaluate(self, name: str, internal: Any = "node") -> Any:
        """Return specification, location and values of a field or expression. Collective."""
        if self._spare:
            raise CostlyError
        return super().evaluate(name, internal)

    @property
    def _coordinates(self) -> Array:
        """The numbers that the displacement is a sum with: of what is prescribed and of modes. Collective."""
        if self._tried is not None:
            return self._tried
        state = super().state
        return self.reduced.whole.numbers(state.t, state.values[self.reduced.name][:, 0])

    def _affine(self, key: Any, compute: Callable[[], Any]) -> tuple[Any, Any]:
        """Return a result with all numbers zero, and how each of them changes it (…, n). Collective."""
        n, version = len(self._coordinates), self.reduced.whole.corrected
        # a model that is completed on the way has more modes
        slopes, constants = ("slopes", key, n), ("constant", key)
        if self._numbers.get(constants, (None,))[0] != version:
            self._numbers[constants] = version, self._at(np.zeros(n), compute)
        constant = self._numbers[constants][1]
        if slopes not in self._numbers:
            found = [self._at(unit, compute) - constant for unit in np.eye(n)]
            self._numbers[slopes] = np.stack(found, axis=-1)
        return constant, self._numbers[slopes]

    def _at(self, g: Array, compute: Callable[[], Any]) -> Any:
        """Return a result at other numbers; what is known of the present state stays."""
        held = self._state, self._known, self._body, self._spare, self._tried
        self._spare, self._tried = False, g
        try:
            rows = g[self.reduced.lifts.count :, None]
            self.look(State({self.reduced.name: rows}, super().state.t))
            return compute()
        finally:
            self._state, self._known, self._body, self._spare, self._tried = held

    def _is_linear(self, of: Expression | str) -> bool:
        """Return whether a name or expression is linear in the displacement, with nothing else but places."""
        if self.reduced.full_order:
            return False
        if of not in self._linear:
            self._linear[of] = self._found_linear(of)
        return self._linear[of]

    def _found_linear(self, of: Expression | str) -> bool:
        own = {self.reduced.name + tail for tail in ("", "_x", "_y", "_z")}
        if isinstance(of, str):
            return of in own
        names = set(of.names)
        if names - own - {"x", "y", "z"} or not all(isinstance(node, LINEAR) for node in ast.walk(of.tree)):
            return False
        return not any(own & set(of.derivative(name).names) for name in names & own)
