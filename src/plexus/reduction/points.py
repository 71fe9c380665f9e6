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

Array = np.ndarray


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

    @cached_property
    def halo(self) -> Halo:
        """No rank has rows of others. Collective at the first access."""
        return Halo.from_ids(
            self.comm, self.names(), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        )

    def zeros(self) -> Array:
        """Return zero rows (n_local, components)."""
        return np.zeros((self.n_local, self.components))


class Sites:
    """Evaluates integrands at reduced points, on their cells only."""

    def __init__(self, form: Form, points: ReducedPoints):
        self.form, self.points = form, points
        chosen, self.inverse = np.unique(points.cell, return_inverse=True)
        self.cells = CellSet(form.space.mesh, form.bridge, chosen)

    def batch(self, t: float, fields: Mapping[str, tuple[Any, Any]]) -> PointBatch:
        """Return the cells of the points with all their quadrature points."""
        return PointBatch(
            self.cells, slice(0, len(self.cells)), self.form.rule, t, Values(fields, self.form.own)
        )

    def pick(self, values: Any) -> Array:
        """Return values (C|1, Q|1, …) at the reduced points, (s, 1, …)."""
        shape = (len(self.cells), len(self.form.rule.weights), *values.shape[2:])
        return np.ascontiguousarray(np.broadcast_to(values, shape)[self.inverse, self.points.q][:, None])

    def view(self, p: PointBatch, names: Mapping[str, Any], **members: Any) -> Any:
        """Return the reduced points as cells with one point each, with some of the fields of ``p``."""
        fields = {name: Given(self.pick(sample.value)) for name, sample in names.items()}
        regions = {name: p.regions[name][self.inverse] for name in p.regions}
        return View(None, fields, x=self.pick(p.x), t=p.t, dim=p.dim, one=p.one, regions=regions, **members)
