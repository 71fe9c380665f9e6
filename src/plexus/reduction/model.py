"""What a reduced model is: modes at the nodes, strains and weights at the points of a cubature; its file.

``rom.h5`` has the layout of a checkpoint: ``arrays/modes/<unknown>`` (nodes, m n) with the names of the nodes
in ``ids/nodes``, so that any number of ranks reads it, and facts as JSON. Column c n + j of the modes is
component c of mode j.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError
from plexus.io import checkpoint
from plexus.reduction.points import ReducedPoints
from plexus.spaces.points import CellSet, Values, batches

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form
    from plexus.spaces.lagrange import Space
    from plexus.spaces.quadrature_space import QuadratureSpace

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Model:
    """A basis and a cubature on one rank.

    Attributes
    ----------
    basis : array (n_local, m, n)
        Modes at the nodes, ghosts included.
    points : ReducedPoints
        The points of this rank, with weights.
    strains : array (s, 9, n)
        Strain of each mode at these.
    facts : dict
        Spectrum, tolerances, and what else is told of it.
    """

    basis: Array
    points: ReducedPoints
    strains: Array
    facts: dict[str, Any]


def strains_of(form: Form, points: QuadratureSpace, basis: Array, rows: Array | None = None) -> Array:
    """Return the strain of each mode at points of own cells, (k, 9, n); all of them or some rows."""
    space, mesh = form.space, form.space.mesh
    chosen = np.arange(mesh.n_owned_cells) if rows is None else np.unique(rows // points.per_cell)
    found = np.empty((len(chosen), points.per_cell, 9, basis.shape[2]))
    cells = CellSet(mesh, form.bridge, chosen)
    equation: Any = form.equation
    for j in range(basis.shape[2]):
        values = {form.own: (space, np.ascontiguousarray(basis[:, :, j]))}
        for p in batches(cells, form.rule, 4096, 0.0, Values(values, form.own)):
            found[p.part, :, :, j] = equation.linear_strain(p).reshape(*p.shape, 9)
    flat = found.reshape(-1, 9, basis.shape[2])
    if rows is None:
        return flat
    return np.ascontiguousarray(
        flat[np.searchsorted(chosen, rows // points.per_cell) * points.per_cell + rows % points.per_cell]
    )


def save(path: Path, space: Space, name: str, basis: Array, facts: dict[str, Any]) -> None:
    """Write a reduced model; it is visible and on the disk when this returns. Collective."""
    rows = basis[: space.n_owned].reshape(space.n_owned, -1)
    ids = {space.key: space.names()[: space.n_owned]}
    key = f"modes/{name}"
    checkpoint.write(path, space.comm, ids, checkpoint.Content(facts, {key: rows}, {key: space.key}))


def load(path: Path, form: Form, points: QuadratureSpace) -> Model:
    """Read a reduced model for the mesh of a form. Collective.

    Raises
    ------
    InputError
        If the file is missing, damaged, no reduced model, or of another mesh or unknown.
    """
    space, name = form.space, form.equation.field.name
    about = checkpoint.about(path, space.comm)
    facts = about.facts
    if "reduced" not in facts:
        raise InputError(f"{path}: this is a checkpoint, no reduced model; `plexus reduce` makes one")
    if facts["reduced"]["unknown"] != name or facts["reduced"]["points"] != points.n_global:
        raise InputError(f"{path}: the reduced model belongs to another mesh, degree or unknown")
    content = checkpoint.read(path, space.comm, {space.key: space.names()[: space.n_owned]}, about)
    own = content.arrays[f"modes/{name}"]
    whole = np.zeros((space.n_local, own.shape[1]))
    whole[: space.n_owned] = own
    space.halo.forward(whole)
    basis = whole.reshape(space.n_local, space.components, -1)
    told = facts["reduced"]
    chosen = ReducedPoints(points, np.array(told["names"], dtype=np.int64), np.array(told["weights"]))
    return Model(basis, chosen, strains_of(form, points, basis, chosen.rows), facts)
