"""Nodes of another program's file found among the nodes of this rank, by place.

Positions are projected on one direction and sorted, so that each node has few candidates; of these the one
within the tolerance is taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import InputError

if TYPE_CHECKING:
    from plexus.snapshots._shared import Shared
    from plexus.spaces.lagrange import Space

Array = np.ndarray
DIRECTION = np.array([0.5773502, 0.5432117, 0.6095133])
"""Parallel to no usual face, so that few nodes share a projection."""
NEAR = 1e-5
"""Distance of two positions that are the same, relative to the largest coordinate."""
ALIKE = 1e-3
"""Relative difference of the lengths of bodies that are the same."""


class Matching:
    """Which row of a file belongs to each own node of this rank. Construction is collective.

    Parameters
    ----------
    space : Space
        Nodes of the displacement.
    results : Shared
        The file.
    name : str
        What messages call it.
    scale : float
        Its unit of length [m].

    Raises
    ------
    InputError
        On all ranks, if the nodes are not those of the mesh.
    """

    def __init__(self, space: Space, results: Shared, name: str, scale: float):
        self.space, self.name = space, name
        x = space.points[: space.n_owned]
        own = np.zeros((len(x), 3))
        own[:, : x.shape[1]] = x
        largest = self._require_size(own, (block * scale for _, block in results.points()))
        reach = max(NEAR, 10.0 ** (1 - results.digits)) * largest
        self.rows = np.full(len(own), -1, dtype=np.int64)
        for start, block in results.points():
            _find(own, block * scale, start, reach, self.rows)
        self._require_all(own, results.count)

    def taken(self, pieces: Iterable[tuple[int, Array]]) -> Array:
        """Return the rows of own nodes (n_local, m), those of ghosts zero, from all rows in pieces."""
        found = self.space.zeros()
        for start, block in pieces:
            here = np.flatnonzero((self.rows >= start) & (self.rows < start + len(block)))
            found[here] = block[self.rows[here] - start, : found.shape[1]]
        return found

    def _require_size(self, own: Array, blocks: Iterable[Array]) -> float:
        """Refuse a body of another size; return the largest coordinate [m]. Collective."""
        from mpi4py import MPI

        comm = self.space.comm
        # [-least, most] as one maximum
        mine = np.full(6, -np.inf)
        if len(own):
            mine = np.concatenate([-own.min(axis=0), own.max(axis=0)])
        box = np.empty_like(mine)
        comm.Allreduce(mine, box, MPI.MAX)
        other = np.full(6, -np.inf)
        for block in blocks:
            other = np.maximum(other, np.concatenate([-block.min(axis=0), block.max(axis=0)]))
        length, its = (float((b[3:] + b[:3]).max()) for b in (box, other))
        if not abs(its / length - 1) <= ALIKE:
            raise InputError(
                f"{self.name}: its body is {its:.4g} m long, that of the deck {length:.4g} m "
                f"({its / length:.4g} times): another `unit`, or snapshots of another mesh"
            )
        return float(np.abs(box).max())

    def _require_all(self, own: Array, count: int) -> None:
        """Refuse nodes of the mesh that the file lacks, and nodes that only the file has. Collective."""
        lost, total = np.flatnonzero(self.rows < 0), self.space.n_global
        told = self.space.comm.allgather((len(lost), own[lost[:1]].tolist()))
        if missing := sum(n for n, _ in told):
            ((place, *_),) = [x for _, x in told if x][:1]
            raise InputError(
                f"{self.name}: it has no node at {missing:,} of the {total:,} nodes of the deck's mesh, the "
                f"first at ({', '.join(f'{c:.6g}' for c in place)}) m: the snapshots belong to another mesh"
            )
        if count != total:
            raise InputError(
                f"{self.name}: it has {count:,} nodes, the deck's mesh {total:,}: the snapshots belong to "
                "another mesh, or to elements of another degree"
            )


def _find(own: Array, block: Array, start: int, reach: float, rows: Array) -> None:
    """Note the row of the file for each own position (k, 3) that lies at one of the block's (n, 3)."""
    along = block @ DIRECTION
    order = np.argsort(along)
    s, mine = along[order], own @ DIRECTION
    first, last = np.searchsorted(s, mine - 2 * reach), np.searchsorted(s, mine + 2 * reach)
    for k in range(int((last - first).max(initial=0))):
        here = np.flatnonzero(first + k < last)
        candidates = order[first[here] + k]
        near = np.abs(block[candidates] - own[here]).max(axis=1) <= reach
        rows[here[near]] = start + candidates[near]
