"""The bodies of an unknown: sets of nodes that nonzero entries of its matrix tie together.

Cells that share a node are one body unless a coefficient is zero in them; what is prescribed ties nothing.
What is in contact is one body, too, unless that is so weak that the level of each side is judged on its own.
The unknowns of a block that no entry couples are bodies of their own. Bodies are the same on any number of
ranks, but for their order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from mpi4py import MPI

from plexus.fields.connected import components, over_ranks

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form


FAINT = 1e-5
"""Size of an entry across facets, relative to the diagonal, below which it does not make one body of two."""


@dataclass(frozen=True, eq=False)
class Bodies:
    """Which body every unknown of this rank belongs to.

    Attributes
    ----------
    labels : (n_owned, m) int64, number of the body, −1 for what is prescribed or has no equation.
    count : number of bodies on all ranks.
    empty : (n_owned, m) bool, unknowns that are not prescribed and whose row has no entry.
    form : the equations.
    at : (n_owned, m) int64, the body around every unknown, prescribed ones of its nodes included.
    """

    labels: np.ndarray
    count: int
    empty: np.ndarray
    form: Form = field(repr=False)
    at: np.ndarray = field(repr=False)

    def stops(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return where prescribed values touch bodies: bodies (k,), positions (k, d), components (k,)."""
        form, space = self.form, self.form.space
        if form.fixed is None:
            return np.empty(0, int), np.empty((0, space.mesh.dim)), np.empty(0, int)
        rows, cols = form.matrix.eliminated()
        # unknowns that nothing couples are bodies of their own at one node
        pair, component = np.nonzero(form.fixed[cols])
        body = self.at[rows[pair], component]
        some = body >= 0
        # each once: numbers sort much faster than rows of a table
        shape = (self.count, space.n_local, space.components)
        number = np.ravel_multi_index((body[some], cols[pair[some]], component[some]), shape)
        body, node, component = np.unravel_index(np.unique(number), shape)
        return body, space.points[node], component

    @cached_property
    def blur(self) -> float:
        """Rounding of entries that comes from that of positions, relative to the entries. Collective."""
        mesh = self.form.space.mesh
        cells = mesh.vertices[: mesh.n_owned_cells].T
        edges = np.diff(mesh.points[cells], axis=0)
        shortest = np.sqrt(np.einsum("ecd,ecd->ec", edges, edges).min(axis=0))
        far = np.abs(mesh.points).max(axis=1)[cells].max(axis=0)
        here = float((far / shortest).max(initial=0.0))
        return 20 * float(np.finfo(float).eps) * self.form.space.comm.allreduce(here, MPI.MAX)

    def say(self, chosen: np.ndarray) -> str:
        """Return extent, number of cells and regions of the nodes ``chosen`` (n_owned,). Collective."""
        space, mesh = self.form.space, self.form.space.mesh
        mask = np.zeros((space.n_local, 1), dtype=np.int8)
        mask[: space.n_owned, 0] = chosen
        space.halo.forward(mask)
        cells = mask[space.cell_nodes[: mesh.n_owned_cells], 0].any(axis=1)
        n_cells = space.comm.allreduce(int(cells.sum()))
        x = space.points[space.cell_nodes[: mesh.n_owned_cells][cells]].reshape(-1, mesh.dim)
        low, high = x.min(axis=0, initial=np.inf), x.max(axis=0, initial=-np.inf)
        space.comm.Allreduce(MPI.IN_PLACE, low, MPI.MIN)
        space.comm.Allreduce(MPI.IN_PLACE, high, MPI.MAX)
        extent = ", ".join(
            f"{a} = {lo:.4g} to {hi:.4g} m" for a, lo, hi in zip("xyz", low, high, strict=False)
        )
        inside = np.flatnonzero(cells)
        here = [bool(np.isin(of, inside).any()) for of in mesh.regions.values()]
        found = np.any(space.comm.allgather(here), axis=0)
        regions = [name for name, there in zip(mesh.regions, found, strict=True) if there]
        names = f", region{'s' * (len(regions) > 1)} {', '.join(regions)}" if regions else ""
        return f"{extent} ({n_cells} cell{'s' * (n_cells != 1)}{names})"


def bodies(form: Form) -> Bodies:
    """Return the bodies of the matrix that is assembled now. Collective."""
    space, matrix = form.space, form.matrix
    m = space.components
    fixed = np.zeros((space.n_local, m), dtype=bool) if form.fixed is None else form.fixed
    labels = np.full((space.n_local, m), -1, dtype=np.int64)
    filled = np.zeros((space.n_local, m), dtype=np.int8)
    filled[: space.n_owned] = matrix.filled()
    space.halo.forward(filled)
    filled = filled.astype(bool)
    faint = np.zeros((space.n_local, 1))
    if space.mesh.cut is not None:
        # only what is cut has entries across facets
        faint[: space.n_owned] = FAINT * matrix.diagonal(matrix.values)
        space.halo.forward(faint)
    count = 0
    for group in _groups(form):
        rows, cols = matrix.ties(group, faint)
        wanted = (~fixed & filled)[:, group].any(axis=1)
        low = components(rows, cols, space.n_local)
        number, found = over_ranks(space.comm, low, space.n_owned, wanted, space.halo.forward)
        labels[:, group] = np.where(number >= 0, number + count, -1)[:, None]
        count += found
    owned = slice(space.n_owned)
    at = labels[owned]
    return Bodies(np.where(fixed | ~filled, -1, labels)[owned], count, ~(fixed | filled)[owned], form, at)


def _groups(form: Form) -> list[np.ndarray]:
    """Return the components that entries couple with each other. Collective."""
    m = form.space.components
    # rigid motions mix the components of a displacement
    if m == 1 or form.equation.near_nullspace == "rigid":
        return [np.arange(m)]
    tied = np.any(form.space.comm.allgather(form.matrix.coupled()), axis=0)
    a, b = np.nonzero(tied)
    low = components(a, b, m)
    return [np.flatnonzero(low == end) for end in np.unique(low)]
