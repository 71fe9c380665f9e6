"""A basis at the points of a cubature: the few places at which a reduced model asks its law.

Each rank has the points of its own cells. What depends on place and time (temperature, data of the material,
thermal strain) is evaluated on the cells of these points only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.formulation.points import Values as Given
from plexus.formulation.points import View
from plexus.mesh.halo import Halo
from plexus.spaces.points import CellSet, PointBatch, Values
from plexus.spaces.quadrature_space import QuadratureSpace

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.spaces.assembly import Form
    from plexus.spaces.rule import Rule

Array = np.ndarray
Fields = Mapping[str, tuple[Any, Any]]
"""Names of fields and controls -> room and values."""


class Coordinates:
    """The numbers of a reduced state as rows of a checkpoint: rank 0 owns them, all ranks have them."""

    degree, key, components, scalar = 1, "coordinates", 1, True

    def __init__(self, comm: Comm, count: int):
        self.comm, self.n_global, self.n_local = comm, count, count
        self.n_owned = count if comm.rank == 0 else 0
        ghosts = np.arange(self.n_owned, count, dtype=np.int64)
        self.halo = Halo.from_ids(
            comm, self.names()[: self.n_owned], np.zeros(len(ghosts), dtype=np.int64), ghosts
        )

    def names(self) -> Array:
        """Return the numbers of the rows, (n_local,) int64."""
        return np.arange(self.n_local, dtype=np.int64)

    @property
    def points(self) -> Array:
        """The numbers again, as coordinates (n_local, 1)."""
        return self.names()[:, None].astype(float)


class ReducedPoints:
    """Rows at the points of a cubature that lie in this rank's cells.

    Parameters
    ----------
    points : QuadratureSpace
        All quadrature points.
    names : array of int64
        Names of the chosen ones, on all ranks.
    weights : array
        Their weights.
    """

    key = "reduced"

    def __init__(
        self, points: QuadratureSpace, names: Array, weights: Array, components: int = 1, scalar: bool = True
    ):
        self.all, self.components, self.scalar, self.comm = points, components, scalar, points.comm
        self.every, self.all_weights = names, weights
        own = points.names()[: points.n_owned]
        order = np.argsort(own)
        place = np.minimum(np.searchsorted(own, names, sorter=order), max(len(own) - 1, 0))
        here = own[order][place] == names if len(own) else np.zeros(len(names), dtype=bool)
        self.rows, self.weights = (
            order[place[here]] if len(own) else np.empty(0, dtype=np.int64),
            weights[here],
        )
        self.places = np.flatnonzero(here)
        self.n_owned = self.n_local = len(self.rows)
        self.n_global = len(names)
        self.cell, self.q = self.rows // points.per_cell, self.rows % points.per_cell

    def like(self, points: QuadratureSpace) -> ReducedPoints:
        """Return the same points with the components of another variable."""
        return ReducedPoints(points, self.every, self.all_weights, points.components, points.scalar)

    def names(self) -> Array:
        """Return the names of the own points, (n_local,) int64."""
        return self.all.names()[self.rows]

    @property
    def points(self) -> Array:
        """Coordinates (n_local, d) [m]."""
        return self.all.points[self.rows]

    def everywhere(self) -> Array:
        """Return the coordinates of the points of all ranks, (n_global, d) [m]. Collective."""
        own = np.zeros((self.n_global, self.all.points.shape[1]))
        own[self.places] = self.points
        found: Array = self.comm.allreduce(own)
        return found

    @cached_property
    def halo(self) -> Halo:
        """No rank has rows of others. Collective at the first access."""
        return Halo.from_ids(
            self.comm, self.names(), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        )

    def zeros(self) -> Array:
        """Return zero rows (n_local, components)."""
        return np.zeros((self.n_local, self.components))


class Instants:
    """Some cells at one time or at several, one after the other, as one batch: their geometry is kept.

    Parameters
    ----------
    form : Form
        The equation on all cells.
    rule : Rule
        Points in each cell.
    index : array of int
        Local cells.
    fields : mapping
        What may be sampled: name -> room and values, none of which changes in time.
    """

    def __init__(self, form: Form, rule: Rule, index: Array, fields: Fields):
        self.form, self.rule, self.index, self.fields = form, rule, index, fields
        self._kept: dict[int, PointBatch] = {}

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.index)

    def at(self, times: Array, others: Fields | None = None) -> PointBatch:
        """Return the cells at all times, with other values of some fields; t is a number or (T C, 1)."""
        count = len(times)
        if count not in self._kept:
            cells = CellSet(self.form.space.mesh, self.form.bridge, np.tile(self.index, count))
            self._kept[count] = PointBatch(cells, slice(0, len(cells)), self.rule, 0.0, Values({}))
        like = self._kept[count]
        fields = {**self.fields, **(others or {})}
        t: Any = float(times[0]) if count == 1 else np.repeat(times, len(self))[:, None]
        return PointBatch(like.cells, like.part, self.rule, t, Values(fields, self.form.own), like=like)


class Sites:
    """Evaluates integrands at reduced points, on their cells only."""

    def __init__(self, form: Form, points: ReducedPoints, fields: Fields):
        self.points = points
        chosen, self.inverse = np.unique(points.cell, return_inverse=True)
        self.cells = Instants(form, form.rule, chosen, fields)

    def at(self, times: Array, others: Fields | None = None) -> PointBatch:
        """Return the cells of the points with all their quadrature points, time after time."""
        return self.cells.at(times, others)

    def pick(self, p: PointBatch, values: Any) -> Array:
        """Return values (C|1, Q|1, …) at the reduced points, (times s, 1, …)."""
        if not len(self.inverse):
            return np.empty((0, 1, *values.shape[2:]))
        shape = (-1, len(self.cells), p.shape[1], *values.shape[2:])
        if not len(self.cells):
            return np.zeros((0, 1, *values.shape[2:]))
        every = np.broadcast_to(values, (*p.shape, *values.shape[2:])).reshape(shape)
        return np.ascontiguousarray(every[:, self.inverse, self.points.q]).reshape(-1, 1, *values.shape[2:])

    def view(self, p: PointBatch, fields: Mapping[str, Any], **members: Any) -> Any:
        """Return the reduced points as cells with one point each, with some of the fields of ``p``."""
        given = {name: Given(self.pick(p, sample.value)) for name, sample in fields.items()}
        regions = {name: self.pick(p, p.regions[name]) for name in p.regions}
        t = self.pick(p, p.t) if isinstance(p.t, np.ndarray) else p.t
        return View(None, given, x=self.pick(p, p.x), t=t, dim=p.dim, one=p.one, regions=regions, **members)
