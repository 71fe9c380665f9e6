"""Rows at the quadrature points of all cells: where internal variables live.

Row c·nq + q belongs to point q of the local cell c, owned cells first, ghost cells behind them. A point is
named by (global cell)·nq + q, which no partition changes.

Recovery at the nodes: in each cell the polynomial of the nodal element that is nearest to the values in the
sense of L2, on the reference cell; a node takes the average over its cells, weighted with |det J| there. The
values of polynomials of the element's degree come back exactly. Between steep values the nodes may overshoot
those of the points. E. Hinton, J. S. Campbell, Int. J. Numer. Methods Eng. 8 (1974) 461,
doi:10.1002/nme.1620080303 (local least-squares smoothing).
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from plexus.mesh.halo import Halo
from plexus.protocols import FieldSpec
from plexus.spaces.lagrange import Space
from plexus.spaces.materials import MaterialNodes
from plexus.spaces.rule import Rule, cell_rule, node_rule
from plexus_kernels import backend

Array = Any
PIECE = 1024
"""Cells whose points are looked at together where there is no room for all."""


class QuadratureSpace:
    """The quadrature points of the cells of one rank, with ``components`` numbers per point.

    Parameters
    ----------
    space : Space
        The nodes of the run; values are recovered there.
    degree : int
        Exact degree of the rule, that of the run's forms.
    components : int
        Numbers per point.
    scalar : bool, optional
        Whether values have no axis of components; True for one component unless told otherwise.

    Attributes
    ----------
    n_owned, n_local, n_global : int
        Points of owned cells, of all local cells, of the whole mesh.
    per_cell : int
        Points per cell, nq.
    """

    def __init__(self, space: Space, degree: int, components: int = 1, scalar: bool | None = None):
        self.mesh, self.comm, self.degree, self.components = space.mesh, space.mesh.comm, degree, components
        self.nodes = space.with_components(components, scalar)
        self.scalar = self.nodes.scalar
        self.rule = cell_rule(self.mesh, degree)
        self.per_cell = len(self.rule.weights)
        self.n_owned = self.mesh.n_owned_cells * self.per_cell
        self.n_local = self.mesh.n_cells * self.per_cell
        self.n_global = self.mesh.n_global_cells * self.per_cell
        self._recovered: dict[int, tuple[weakref.ref[Any], np.ndarray]] = {}

    @property
    def key(self) -> str:
        """Name of the points in files; all internal variables of a run share them."""
        return f"points{self.degree}"

    def pieces(self) -> Iterator[slice]:
        """Yield the own points in pieces of whole cells; at least one piece, which may be empty."""
        size = PIECE * self.per_cell
        for start in range(0, max(self.n_owned, 1), size):
            yield slice(start, min(start + size, self.n_owned))

    def names(self) -> np.ndarray:
        """Return names of the local points that no partition changes, (n_local,) int64."""
        return self.rows_of(self.mesh.cell_ids.astype(np.int64))

    def rows_of(self, cells: np.ndarray) -> np.ndarray:
        """Return the numbers of the points of cells by number, cell after cell."""
        return (cells[:, None] * self.per_cell + np.arange(self.per_cell)).ravel()

    @cached_property
    def points(self) -> np.ndarray:
        """Coordinates (n_local, d) [m]."""
        phi = self.rule.tables(self.rule.geometry).phi
        corners = self.mesh.points[self.mesh.cells]
        return np.einsum("qa,cad->cqd", phi, corners).reshape(self.n_local, self.mesh.dim)

    @cached_property
    def halo(self) -> Halo:
        """Exchange of the rows of ghost cells. Collective at the first access."""
        names, n = self.names(), self.n_owned
        owners = np.repeat(self.mesh.cell_owner[self.mesh.n_owned_cells :], self.per_cell)
        return Halo.from_ids(self.comm, names[:n], owners, names[n:])

    def zeros(self) -> np.ndarray:
        """Return zero rows (n_local, components)."""
        return np.zeros((self.n_local, self.components))

    def stores(self, rule: Rule) -> bool:
        """Return whether the points of a rule are those of the rows."""
        # quadratures are made once per cell type and degree
        return rule.points is self.rule.points

    def by_cell(self, rows: Array) -> Array:
        """Return rows (n_local, m) as (C, nq, m), a view."""
        return rows.reshape(-1, self.per_cell, rows.shape[1])

    def cell_means(self, rows: np.ndarray) -> np.ndarray:
        """Return the means over the owned cells, (owned cells, m)."""
        n, tables = self.mesh.n_owned_cells, self.rule.tables(self.rule.geometry)
        jxw = backend().geometry(self.mesh.points, self.mesh.cells[:n], tables)[1]
        return np.einsum("cq,cqm->cm", jxw / jxw.sum(axis=1, keepdims=True), self.by_cell(rows)[:n])

    def at_nodes(self, rows: np.ndarray) -> np.ndarray:
        """Return the values recovered at the nodes, (n_local nodes, m); remembered while the rows live.

        Needs no communication and holds at the nodes of owned cells: the ghost layer has all cells around
        them. `Space.halo` fills the outer ghosts.
        """
        key = id(rows)
        known = self._recovered.get(key)
        if known is None or known[0]() is not rows:
            gone = weakref.ref(rows, lambda _: self._recovered.pop(key, None))
            known = self._recovered[key] = gone, self.recovered(rows, self.nodes)
        return known[1]

    def recovered(self, rows: np.ndarray, space: Space | MaterialNodes) -> np.ndarray:
        """Return the values recovered at the nodes of a space of the same degree, (n_local nodes, m)."""
        mesh, kernels = self.mesh, backend()
        tables = node_rule(mesh, space.degree).tables(space.element)
        values = np.ascontiguousarray(np.einsum("nq,cqm->cnm", self._fit, self.by_cell(rows)))
        total, weight = np.zeros((space.n_local, self.components)), np.zeros((space.n_local, 1))
        # φ_i is one at its node and zero at the others: ∫ f φ_i by this rule is w |det J| f at node i
        here = mesh.points, mesh.cells, tables, space.cell_nodes
        kernels.vector(*here, values, None, None, total)
        kernels.vector(*here, np.ones((1, 1, 1)), None, None, weight)
        return np.ascontiguousarray(total / weight)

    @cached_property
    def _fit(self) -> np.ndarray:
        """Matrix (n, nq) from values at the points to the nodes of the nearest polynomial."""
        phi = self.rule.tables(self.nodes.element).phi
        weighted = phi.T * self.rule.weights
        return np.linalg.solve(weighted @ phi, weighted)


def quadrature_space(space: Space, spec: FieldSpec, degree: int) -> QuadratureSpace:
    """Return the points of one internal variable; a tensor has 3 x 3 components in any dimension."""
    components = spec.components(3 if spec.shape == "tensor" else space.mesh.dim)
    return QuadratureSpace(space, degree, components, spec.shape == "scalar")
