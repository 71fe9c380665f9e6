"""Values of fields at given positions: find the cell, invert its map, interpolate.

A position on a boundary of cells belongs to the one of the lowest number, so that the answer does not depend
on the ranks where a field jumps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from mpi4py import MPI

from plexus.mesh.mesh import Mesh
from plexus.spaces.lagrange import Space
from plexus.spaces.materials import MaterialNodes
from plexus.spaces.search import TOLERANCE, check_axes, refuse_lost, require_one_side, search

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


class Located:
    """Positions xs (k, d) found in a mesh. Construction is collective, with equal positions on all ranks.

    Parameters
    ----------
    mesh, xs
        Where, and which positions [m].
    tolerance
        How far outside a reference cell a position may lie (rounding at the boundary).

    Raises
    ------
    InputError
        If a position lies outside the mesh, or has a value on each side of a contact.
    """

    def __init__(self, mesh: Mesh, xs: np.ndarray, tolerance: float = TOLERANCE):
        self.comm = mesh.comm
        self.xs = np.atleast_2d(np.asarray(xs, dtype=float))
        check_axes(mesh, self.xs)
        which, cells, local, outside = search(mesh, self.xs, tolerance)
        # the cell that holds a position best, of several the one of the lowest number, on whatever rank
        best = _least(self.comm, which, outside, len(self.xs), np.inf)
        close = outside == best[which]
        which, cells, local = which[close], cells[close], local[close]
        ids, nobody = mesh.cell_ids[cells].astype(np.int64), np.iinfo(np.int64).max
        owner = _least(self.comm, which, ids, len(self.xs), nobody)
        refuse_lost(self.xs, owner != nobody)
        require_one_side(mesh, self.xs)
        mine = owner[which] == ids
        self.which, self.cells, self.local = which[mine], cells[mine], local[mine]

    def evaluate(self, space: Space | MaterialNodes, array: np.ndarray) -> np.ndarray:
        """Return the values of a field array at the positions on all ranks, (k, m). Collective."""
        phi, _ = space.element.tabulate(self.local)
        found = np.zeros((len(self.xs), array.shape[1]))
        found[self.which] = np.einsum("kn,knm->km", phi, array[space.cell_nodes[self.cells]])
        total = np.empty_like(found)
        self.comm.Allreduce(found, total)
        return total


def _least(comm: Comm, which: np.ndarray, values: np.ndarray, n: int, nobody: float) -> np.ndarray:
    """Return the least value of each of n positions over all ranks, (n,). Collective."""
    mine = np.full(n, nobody, dtype=values.dtype)
    mine[which] = values
    found = np.empty_like(mine)
    comm.Allreduce(mine, found, MPI.MIN)
    return found
