"""A reduced model completed by further states: basis, memory and cubature grow, modes that are there stay.

Displacements add to the basis what they have beside its span. Stresses and memory join their decompositions
(incremental POD: modes as long as their singular values stand for the snapshots of before), and the search
for points begins with those that have weights already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from plexus.reduction.measures import mass, weights_of
from plexus.reduction.model import Model, built, strains_of
from plexus.reduction.pod import FINEST, extended, scaled

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.spaces.assembly import Form
    from plexus.spaces.quadrature_space import QuadratureSpace

Array = np.ndarray


def completed(
    model: Model, form: Form, fields: Array, stresses: Array, memory: Mapping[str, Array]
) -> Model:  # fmt: skip
    """Return the model with further states, open: on the points of before. Collective.

    Parameters
    ----------
    model : Model
        What is completed; it stays as it is.
    form : Form
        The equation.
    fields : array (n_local m, k)
        Displacements.
    stresses : array (l, own points, 9)
        Stresses.
    memory : mapping
        Name of a memory variable that the model has a basis of -> snapshots (j, own points, c); may lack
        some.
    """
    space, comm, kept = form.space, form.space.comm, model.kept
    old = model.basis.reshape(space.n_local * space.components, model.basis.shape[2])
    modes = extended(comm, old, partial(mass, form), fields, model.facts["tolerance"])
    basis = modes.reshape(space.n_local, space.components, modes.shape[1])
    duals = {
        name: decomposed(comm, _after(modes, memory[name])) if name in memory else modes
        for name, modes in kept.duals.items()
    }
    stress = decomposed(comm, _after(kept.stresses, stresses), np.sqrt(weights_of(form)))
    strains = strains_of(form, model.points.all, basis, model.points.rows)
    facts = model.facts | {"modes": basis.shape[2], "open": True}
    return Model(basis, model.points, strains, facts, replace(kept, stresses=stress, duals=duals))


def searched(model: Model, form: Form, points: QuadratureSpace) -> Model:
    """Return the model with points and weights that serve it, a search that begins with its own. Collective.

    Raises
    ------
    SolveError
        If the cubature does not reach the tolerance of the model.
    """
    facts = {name: fact for name, fact in model.facts.items() if name != "open"}
    start = {name: w for name, w in zip(facts["names"], facts["weights"], strict=True) if w > 0}
    return built(form, points, model.basis, model.kept, facts, start)


def enriched(
    model: Model,
    form: Form,
    points: QuadratureSpace,
    fields: Array,
    stresses: Array,
    memory: Mapping[str, Array],
) -> Model:
    """Return the model `completed` by further states and `searched`. Collective."""
    return searched(completed(model, form, fields, stresses, memory), form, points)


def _after(modes: Array, rows: Array) -> Array:
    """Return modes (points, c, n) and then rows (k, points, c) as rows."""
    return np.concatenate([np.moveaxis(modes, 2, 0), rows])


def decomposed(comm: Comm, rows: Array, root: Array | None = None) -> Array:
    """Return modes (points, c, n) of rows (k, points, c), as long as their singular values. Collective.

    ``root`` (points,) are roots of the weights of an inner product, 1 without it.
    """
    _, points, c = rows.shape
    factor = np.ones(points) if root is None else root
    columns = (rows * factor[:, None]).reshape(len(rows), points * c).T
    made = scaled(comm, columns, FINEST)
    return made.reshape(points, c, made.shape[1]) / factor[:, None, None]
