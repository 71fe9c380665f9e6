"""All numbers of some controls as one vector that every rank has: what methods of fitting move.

    m = (numbers of the first control, of the second, …),    ‖m‖² = Σ_c ∫ m_c² + ℓ_c² ∫ |∇m_c|²

Numbers of fields stand in an order of nodes and cells that no partition changes. The Riesz map G g = dJ/dm
turns a derivative into the gradient g of the inner product G, a field that does not depend on the mesh.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.solvers.gram import Gram

if TYPE_CHECKING:
    from plexus.protocols import Stated
    from plexus.spaces.controls import Controls

Array = Any


class Numbers:
    """The controls that are moved. Construction is collective.

    Parameters
    ----------
    stated
        What the deck says of each.
    controls
        All controls of the system that reads them.

    Attributes
    ----------
    parts : name -> its numbers in the vector.
    size : number of all.
    """

    def __init__(self, stated: Mapping[str, Stated], controls: Controls):
        assert controls.ground is not None, "a deck with controls has a place for them"
        self.stated, self.controls, self.ground = dict(stated), controls, controls.ground
        self.comm = self.ground.comm
        used = sorted({control.location for control in self.stated.values()} - {"own"})
        self._every = {location: self._names(location) for location in used}
        self.parts: dict[str, slice] = {}
        first = 0
        for name, control in self.stated.items():
            every = self._every.get(control.location)
            count = len(control.begin(self.ground)) if every is None else len(every)
            self.parts[name] = slice(first, first + count)
            first += count
        self.size = first

    def _names(self, location: str) -> np.ndarray:
        """Return the names of the values of all ranks in their order. Collective."""
        return np.sort(np.concatenate(self.comm.allgather(self.ground.names(location))))

    def _rows(self, name: str) -> np.ndarray:
        """Return the place of each own value of a control in the vector."""
        part, location = self.parts[name], self.stated[name].location
        if location == "own":
            return np.arange(part.start, part.stop)
        return part.start + np.searchsorted(self._every[location], self.ground.names(location))

    def own(self, m: Array) -> dict[str, Array]:
        """Return the own values of every control, of an array or a tensor (size,)."""
        found = {}
        for name, control in self.stated.items():
            values = m[self._rows(name)]
            found[name] = values if control.location == "own" else values[:, None]
        return found

    def whole(self, own: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the vector of own values. Collective."""
        m = np.zeros(self.size)
        for name, values in own.items():
            rows = self._rows(name)
            if self.stated[name].location != "own" or self.comm.rank == 0:
                m[rows] = np.asarray(values).ravel()
        return self.total(m)

    def total(self, part: np.ndarray) -> np.ndarray:
        """Return the sum of the ranks' vectors. Collective."""
        found = np.empty_like(part)
        self.comm.Allreduce(part, found)
        return found

    def start(self) -> np.ndarray:
        """Return the numbers at the start. Collective."""
        return self.whole({name: control.begin(self.ground) for name, control in self.stated.items()})

    def present(self) -> np.ndarray:
        """Return the numbers that the system has now. Collective."""
        return self.whole({name: self.controls.own[name] for name in self.stated})

    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the smallest and the largest values, (size,) each."""
        found = np.empty((2, self.size))
        for name, part in self.parts.items():
            params = self.stated[name].params
            found[:, part] = np.array([[params.low], [params.high]])
        return found[0], found[1]

    def scale(self, m: np.ndarray | None = None) -> np.ndarray:
        """Return the size of each number: of the start, of ``m``, or half its bounds' width. Collective."""
        start, found = self.start(), np.ones(self.size)
        for name, part in self.parts.items():
            params, own = self.stated[name].params, self.stated[name].sizes
            if own is not None:
                found[part] = own
                continue
            size = float(np.abs(start[part]).max(initial=0.0))
            size = size or (0.0 if m is None else float(np.abs(m[part]).max(initial=0.0)))
            width = (params.high - params.low) / 2
            found[part] = size or (width if np.isfinite(width) else 1.0)
        return found

    def gram(self, name: str, length: float) -> Gram:
        """Return the inner product of one control; ``length`` is ℓ, 0 for L2. Collective."""
        control = self.stated[name]
        if control.location == "own":
            mass, stiffness = control.grams()
            return Gram.of(mass + length**2 * stiffness)
        every = self._every[control.location]
        rows, columns, values = map(self._gathered, self.ground.products(control.location, length))
        return Gram(len(every), np.searchsorted(every, rows), np.searchsorted(every, columns), values)

    def _gathered(self, mine: np.ndarray) -> np.ndarray:
        """Return the entries of all ranks. Collective."""
        return np.concatenate(self.comm.allgather(mine))

    def regularisation(self) -> Gram:
        """Return R of all controls; zero where the deck states none. Collective."""
        found = []
        for name, part in self.parts.items():
            known, n = self.stated[name].params.regularisation, part.stop - part.start
            if known is None:
                zero = np.arange(n)
                found.append(Gram(n, zero, zero, np.zeros(n)))
            else:
                found.append(self.gram(name, known.length or 0.0).scaled(known.weight))
        return Gram.joined(found)

    def places(self, name: str) -> np.ndarray:
        """Return where the numbers of a field stand, (n, d), in their order. Collective."""
        part, own = self.parts[name], self.ground.points(self.stated[name].location)
        x = np.zeros((part.stop - part.start, own.shape[1]))
        x[self._rows(name) - part.start] = own
        return self.total(x)
