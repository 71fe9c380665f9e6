"""The parts of a linear system that entries tie together, on any number of ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from plexus.fields.connected import components, over_ranks
from plexus.mesh.halo import Halo

if TYPE_CHECKING:
    from plexus.protocols import LinearSystem
    from plexus.spaces.systems import SystemSpace


@dataclass(frozen=True, eq=False)
class Bodies:
    """Which part every own unknown belongs to; `plexus.solvers.equations.Bodies`.

    Attributes
    ----------
    labels : (n_owned, m) int64, number of the part, −1 for none.
    count : number of parts on all ranks.
    empty : (n_owned, m) bool, unknowns whose row has no entry.
    space : the rows.
    """

    labels: np.ndarray
    count: int
    empty: np.ndarray
    space: SystemSpace
    blur = 0.0

    def stops(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return nothing: the matrix alone holds the unknowns."""
        return np.empty(0, int), np.empty((0, self.space.points.shape[1])), np.empty(0, int)

    def say(self, chosen: np.ndarray) -> str:
        """Return numbers of the first and the last block of ``chosen`` (n_owned,). Collective."""
        rows = np.concatenate(self.space.comm.allgather(self.space.names()[chosen]))
        what = "rows" if self.space.components == 1 else "blocks"
        return f"{what} {rows.min() + 1} to {rows.max() + 1} ({len(rows)} of them)"


def bodies(space: SystemSpace, system: LinearSystem, definite: bool) -> Bodies:
    """Return the parts; none are looked for where nothing can be free. Collective."""
    m = space.components
    labels = np.full((space.n_owned, m), -1, dtype=np.int64)
    if definite:
        return Bodies(labels, 0, np.zeros(labels.shape, dtype=bool), space)
    rows = np.repeat(np.arange(space.n_owned * m), np.diff(system.pointer))
    told = system.values != 0
    empty = np.bincount(rows[told], minlength=labels.size).reshape(labels.shape) == 0
    rows, cols = rows[told] // m, system.columns[told] // m
    own = (cols >= space.offset) & (cols < space.offset + space.n_owned)
    ghosts, place = np.unique(cols[~own], return_inverse=True)
    halo = Halo.from_global(space.comm, space.n_owned, ghosts)
    local = np.where(own, cols - space.offset, 0)
    local[~own] = space.n_owned + place
    low = components(rows, local, halo.n_local)
    number, count = over_ranks(space.comm, low, space.n_owned, np.ones(halo.n_local, bool), halo.forward)
    labels[:] = number[: space.n_owned, None]
    return Bodies(np.where(empty, -1, labels), count, empty, space)
