"""Inner products of a form's space: the mass matrix on nodal fields, and the weights of its points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from plexus.spaces.points import CellSet, Values, batches

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form

Array = np.ndarray


def mass(form: Form, columns: Array) -> Array:
    """Return ∫ u·φ_i of columns (n_local m, k), zero in the rows of ghosts: sums over ranks count once."""
    space, tables, found = form.space, form.rule.tables(form.space.element), np.zeros_like(columns)
    fields = [np.ascontiguousarray(u.reshape(space.n_local, space.components)) for u in columns.T]
    sums = [space.zeros() for _ in fields]
    for p in batches(form.cells, form.rule, 4096, 0.0, Values({})):
        weight, nodes = form.equation.measure(p.x), form.cells.nodes(space)[p.part]
        here = form.cells.points, form.cells.cells[p.part], tables, nodes
        for u, out in zip(fields, sums, strict=True):
            form.kernels.vector(*here, form.kernels.sample(*here, u)[0], None, weight, out)
    for j, out in enumerate(sums):
        out[space.n_owned :] = 0.0
        found[:, j] = out.ravel()
    return found


def weights_of(form: Form) -> Array:
    """Return the integration weights of the quadrature points of own cells."""
    mesh, found = form.space.mesh, [np.empty(0)]
    cells = CellSet(mesh, form.bridge, slice(mesh.n_owned_cells))
    for p in batches(cells, form.rule, 4096, 0.0, Values({})):
        weight = form.equation.measure(p.x)
        found.append((p.jxw if weight is None else p.jxw * weight).ravel())
    return np.concatenate(found)
