"""Reduced models on the cells of a grid as systems: a state is a few coordinates, equal on all ranks.

Fields are those of the full system, whose cell means are made when somebody asks for them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.coupling.base import BaseSystem, Packed
from plexus.coupling.cellfields import CellFields
from plexus.errors import InputError
from plexus.fields.keys import Key
from plexus.fields.state import State
from plexus.reduction.points import Coordinates

if TYPE_CHECKING:
    import torch

    from plexus.coupling.volumes import VolumeSystem
    from plexus.protocols import Instant, Values

Array = np.ndarray


class CoordinateSystem(BaseSystem):
    """The coordinates of one unknown of a law on cells.

    It offers `plexus.protocols.Explicit` and `plexus.protocols.Implicit`.

    Parameters
    ----------
    full : VolumeSystem
        The system in whose place it marches.
    count : int
        Number of coordinates.
    """

    solvers: Mapping[str, Any] = {}
    together: Mapping[str, Sequence[str]] = {}
    algebraic: frozenset[str] = frozenset()
    instantaneous: Sequence[str] = ()
    passes = None

    def __init__(self, full: VolumeSystem, count: int):
        self.full, self.controls = full, full.controls
        self.name = full.evolving[0]
        self.comm = full.cells.comm
        self.space = Coordinates(self.comm, count)
        self.spaces = {self.name: self.space}
        self.evolving = [self.name]
        self.starting = full.starting

    @abstractmethod
    def cells(self, values: Mapping[str, Array], t: float) -> Array:
        """Return the means of this rank's cells, (n_owned,)."""

    @abstractmethod
    def rates(self, values: Mapping[str, Array], t: float) -> Values:
        """Return the rates of the coordinates. Collective."""

    @abstractmethod
    def solve(self, name: str, values: Mapping[str, Array], at: Instant, held: bool = False) -> int:
        """Solve a stage of an implicit step in place; return Newton steps. Collective."""

    @property
    def body(self) -> VolumeSystem:
        """The full system."""
        return self.full

    def start(self) -> dict[str, Any]:
        """Return zero coordinates."""
        return {self.name: np.zeros((self.space.n_local, 1))}

    def traced(self, own: Mapping[str, Any]) -> Any:
        """Refuse: no gradient leads through a reduced model."""
        raise InputError("rom: no gradient leads through a reduced model; take the full one")

    def reader(self, of: str, x: np.ndarray) -> Any:
        """Refuse: measurements are compared with full models."""
        raise InputError("rom: fits take the full model")

    def complete(self, name: str, values: Mapping[str, Array], t: float) -> None:
        """Leave the coordinates: none lacks a rate."""

    def advance(self, name: str, values: Mapping[str, Array], at: Instant) -> Values:
        """Return nothing: laws have no internal variables."""
        return {}

    def prescribe(self, name: str, t: float, array: Array) -> None:
        """Leave the coordinates: nothing is prescribed."""

    def rms(self, name: str, array: Array) -> float:
        """Return the root mean square."""
        return float(np.sqrt(np.mean(array**2)))

    def largest(self, name: str, array: Array) -> float:
        """Return the largest magnitude."""
        return float(np.abs(array).max(initial=0.0))

    def evaluation(self, constants: Mapping[str, float]) -> CoordinateFields:
        """Return the fields on the cells."""
        return CoordinateFields(self, constants)

    def finite(self, values: Mapping[str, Any]) -> bool:
        """Return whether all coordinates are finite."""
        return all(bool(np.isfinite(c).all()) for c in values.values())

    def blame(self, state: State) -> list[str | None]:
        """Return that the coordinates are lost."""
        lost = not self.finite(state.values)
        return [f"{self.name}: the reduced model is lost at t = {state.t:g} s" if lost else None]

    def layout(self, state: State) -> dict[Key, Any]:
        """Return the rows of the coordinates."""
        return {Key("state", self.name): self.space}

    def pack(self, arrays: Mapping[Key, Any]) -> Packed:
        """Return the coordinates; they are rows already."""
        return {key: (self.space, a) for key, a in arrays.items()}

    def unpack(self, rows: Mapping[Key, np.ndarray]) -> dict[Key, Any]:
        """Return the coordinates of rows."""
        return dict(rows)

    def reconstructed(self, state: State) -> State:
        """Return the state of the full system. Collective."""
        rows = self.cells(state.values, state.t)
        means: torch.Tensor = self.full.tensor(np.ascontiguousarray(rows[:, None]))
        return State({self.name: means}, state.t, state.step)


class CoordinateFields(CellFields):
    """Fields on the cells, made from the coordinates when somebody asks."""

    def __init__(self, system: CoordinateSystem, constants: Mapping[str, float]):
        self.reduced = system
        self._body: State | None = None
        super().__init__(system.full, constants)

    def look(self, state: State) -> None:
        """Turn to a state."""
        if state is not self._state:
            self._body = None
        super().look(state)

    @property
    def state(self) -> State:
        """The state of the full system. Collective at the first access."""
        if self._body is None:
            self._body = self.reduced.reconstructed(super().state)
        return self._body
