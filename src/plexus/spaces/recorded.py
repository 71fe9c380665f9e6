"""A field that another run has recorded, at the nodes of this one: u_i(t) = Σ_j w_ij v_j(t).

On the same mesh, with elements of the same degree, w is one at the node of the same name. Else node i is
searched for in the cells of the other run, and w_ij are the values there of the shape functions of nodes j.
Between two times of the run values are linear.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from plexus.errors import InputError
from plexus.io.history import Cells, History
from plexus.mesh.alone import Alone
from plexus.mesh.cells import CELLS
from plexus.mesh.element import element
from plexus.mesh.mesh import SMALL, Mesh
from plexus.spaces.controls import Level, spread
from plexus.spaces.lagrange import Space
from plexus.spaces.search import TOLERANCE, refuse_lost, require_one_side, search

NEAR = 1e-9
"""Part of a span of times that is rounding."""
KEPT = 64
"""Times whose values are kept: as many as a reduced model samples loads at."""


class Recorded:
    """The field in a run; it has no numbers of its own. Construction is collective.

    Parameters
    ----------
    space
        Nodes of the unknowns.
    history
        What the other run has written.
    reach
        How far outside of a cell a node may lie, as a share of the cell.
    period
        Time after which it repeats itself [s]; None: never.

    Raises
    ------
    InputError
        On all ranks, if a node lies outside of the other run's mesh.
    """

    replicated = True
    reads: Collection[str] = ()

    def __init__(self, space: Space, history: History, reach: float = TOLERANCE, period: float | None = None):
        self.space, self.history, self.period = space.with_components(1, True), history, period
        self.times = history.times
        names, weights = matched(self.space, history.cells(), reach)
        self.by_name = names.shape[1] == 1
        self._nodes, where = np.unique(names, return_inverse=True)
        self._where, self._weights = where.reshape(names.shape), weights
        self._levels: dict[int, np.ndarray] = {}

    def zeros(self) -> np.ndarray:
        """Return no numbers."""
        return np.zeros(0)

    def spread(self, own: Any) -> Any:
        """Return no numbers."""
        return own

    def sample(self, batch: Any, values: Any) -> Level:
        """Return the values at the points of a batch, whose cells may have times of their own, (C, Q)."""
        nodes = self.space.cell_nodes[batch.cells.local(batch.part)]
        phi = batch.rule.tables(self.space.element).phi
        times = np.broadcast_to(np.asarray(batch.t, dtype=float).reshape(-1), len(nodes))
        found = np.empty((len(nodes), len(phi)))
        for t in np.unique(times):
            here = times == t
            found[here] = self._at(nodes[here], float(t)) @ phi.T
        return Level(batch.cells.bridge.array(found))

    def at_nodes(self, nodes: np.ndarray, t: float, values: Any) -> np.ndarray:
        """Return the values of local nodes at a time, (k,)."""
        return self._at(nodes, t)

    def require(self, start: float, end: float) -> None:
        """Refuse a march [s] that goes beyond the times.

        Raises
        ------
        InputError
            If it does.
        """
        first, last = self.times[0], self.times[-1]
        near = NEAR * max(last - first, end - start)
        if self.history.steady:
            return
        if self.period is not None:
            if last - first < self.period - near or start < first - near:
                raise InputError(
                    f"period: the run's times go from {first:g} to {last:g} s, less than a period"
                )
        elif start < first - near or end > last + near:
            raise InputError(
                f"file: its times go from {first:g} to {last:g} s, and this run from {start:g} to {end:g} s"
            )

    def _at(self, nodes: np.ndarray, t: float) -> np.ndarray:
        """Return the values of local nodes at a time, in the shape of ``nodes``."""
        t, times = self._folded(t), self.times
        k = int(np.clip(np.searchsorted(times, t) - 1, 0, max(len(times) - 2, 0)))
        before = self._level(k)[nodes]
        if k + 1 == len(times) or self.history.steady:
            return before
        share = float(np.clip((t - times[k]) / (times[k + 1] - times[k]), 0.0, 1.0))
        # at a time of the run its values are taken as they are
        if share in (0.0, 1.0):
            return before if share == 0.0 else self._level(k + 1)[nodes]
        return np.asarray((1 - share) * before + share * self._level(k + 1)[nodes])

    def _folded(self, t: float) -> float:
        """Return a time within the first period; the end of a cycle is that of the run, not its start."""
        first = float(self.times[0])
        if self.period is None or t <= first:
            return t
        return t - self.period * max(np.ceil((t - first) / self.period - NEAR) - 1, 0)

    def _level(self, k: int) -> np.ndarray:
        """Return the values of all local nodes at time ``k``, (n_local,)."""
        if k not in self._levels:
            if len(self._levels) == KEPT:
                del self._levels[next(iter(self._levels))]
            values = self.history.values(k, self._nodes)
            self._levels[k] = np.einsum("ij,ij->i", self._weights, values[self._where])
        return self._levels[k]


def matched(space: Space, cells: Cells, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return names of nodes of a grid and their weights for each local node, (n_local, j). Collective.

    Raises
    ------
    InputError
        On all ranks, if a node lies outside of the grid.
    """
    x, mine = space.points[: space.n_owned], space.names()[: space.n_owned]
    named = _by_name(x, mine, cells)
    if all(space.comm.allgather(named)):
        return _spread(space, mine[:, None]), np.ones((space.n_local, 1))
    problem, names, weights = "", np.empty((0, 1), dtype=np.int64), np.empty((0, 1))
    try:
        names, weights = _by_place(x, cells, reach)
    except InputError as error:
        problem = str(error)
    # the first rank that cannot go on speaks for all
    told = [text for text in space.comm.allgather(problem) if text]
    if told:
        raise InputError(f"file: of the nodes of this mesh {told[0]}")
    return _spread(space, names), _spread(space, weights)


def _by_name(x: np.ndarray, names: np.ndarray, cells: Cells) -> bool:
    """Return whether all nodes are nodes of a grid, by name and place."""
    order = np.argsort(cells.names, kind="stable")
    at = order[np.minimum(np.searchsorted(cells.names, names, sorter=order), len(order) - 1)]
    near = SMALL * float(np.abs(cells.points).max(initial=0.0))
    same = np.abs(cells.points[at, : x.shape[1]] - x).max(initial=0.0) <= near
    return bool((cells.names[at] == names).all() and same)


def _by_place(x: np.ndarray, cells: Cells, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """Return names and weights of the nodes of the cells that hold positions, (n, j)."""
    mesh, degree = _mesh(cells)
    which, home, local, _ = search(mesh, x, reach) if len(x) else (np.empty(0, int),) * 4
    found = np.zeros(len(x), dtype=bool)
    found[which] = True
    refuse_lost(x, found)
    if _torn(cells):
        require_one_side(mesh, x)
    weights, _ = (
        element(mesh.cell, degree).tabulate(local) if len(x) else (np.empty((0, mesh.cells.shape[1])), 0)
    )
    # positions that are found come in their order
    return cells.names[mesh.cells[home]], weights


def _torn(cells: Cells) -> bool:
    """Return whether two nodes of a grid stand at one place, so that fields may jump there."""
    size = SMALL * max(float(np.abs(cells.points).max(initial=0.0)), 1e-300)
    rows = np.column_stack([np.rint(cells.points / size).astype(np.int64), cells.names])
    every = np.unique(rows, axis=0)
    return len(np.unique(every[:, :-1], axis=0)) < len(every)


def _mesh(cells: Cells) -> tuple[Mesh, int]:
    """Return a grid as a mesh of one rank, and the degree of its elements."""
    kind, degree = next(
        (c, degree) for c in CELLS.values() for degree, number in c.vtk.items() if number == cells.vtk_type
    )
    n, c = len(cells.points), len(cells.links)
    comm: Any = Alone()
    return Mesh(
        kind.dim, kind.name, degree, cells.points[:, : kind.dim], cells.links, c, np.arange(n), cells.names,
        cells.cell_ids, np.zeros(c, dtype=np.int32), np.empty((0, 2), dtype=np.int32), c, comm,
    ), degree  # fmt: skip


def _spread(space: Space, own: np.ndarray) -> np.ndarray:
    """Return rows of own nodes with those of ghosts. Collective."""
    # ranks without nodes know no width
    width = max(space.comm.allgather(own.shape[1]))
    return np.asarray(spread(own if len(own) else np.empty((0, width), own.dtype), space.halo))
