"""A reduced model completed by further states: basis, memory and cubature grow, modes that are there stay.

Displacements add to the basis what they have beside its span. Stresses and memory join their decompositions
(incremental POD: modes as long as their singular values stand for the snapshots of before), and the search
for points begins with those that have weights already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from plexus.reduction.incremental import Incremental, at_points
from plexus.reduction.measures import mass, weights_of
from plexus.reduction.model import Model, built, strains_of
from plexus.reduction.pod import FINEST, extended

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form
    from plexus.spaces.quadrature_space import QuadratureSpace

Array = np.ndarray


def completed(
    model: Model, form: Form, fields: Array, stresses: Sequence[Array],
    memory: Mapping[str, Sequence[Array]], lifts: Array | None = None,
) -> Model:  # fmt: skip
    """Return the model with further states, open: on the points of before. Collective.

    Parameters
    ----------
    model : Model
        What is completed; it stays as it is.
    form : Form
        The equation.
    fields : array (n_local m, k)
        Displacements, zero where values are prescribed.
    stresses : sequence of array (own points, 9)
        Stresses.
    memory : mapping
        Name of a memory variable that the model has a basis of -> snapshots (own points, c); may lack some.
    lifts : array (n_local, m, k), optional
        Further responses to prescribed values.
    """
    space, comm, kept, points = form.space, form.space.comm, model.kept, model.points.all
    old = model.basis.reshape(space.n_local * space.components, model.basis.shape[2])
    modes = extended(comm, old, partial(mass, form), fields, model.facts["tolerance"])
    basis = modes.reshape(space.n_local, space.components, modes.shape[1])
    duals = {
        name: decomposed(points, after(modes, memory[name])) if name in memory else modes
        for name, modes in kept.duals.items()
    }
    stress = decomposed(points, after(kept.stresses, stresses), weights_of(form))
    held = kept.lifts if lifts is None else np.concatenate([kept.lifts, lifts], axis=2)
    strains = strains_of(form, points, basis, model.points.rows)
    facts = model.facts | {"modes": basis.shape[2], "open": True}
    return Model(basis, model.points, strains, facts, replace(kept, stresses=stress, duals=duals, lifts=held))


def searched(model: Model, form: Form, points: QuadratureSpace) -> Model:
    """Return the model with points and weights that serve it, a search that begins with its own. Collective.

    Raises
    ------
    SolveError
        If the cubature does not reach the tolerance of the model.
    """
    facts = {name: fact for name, fact in model.facts.items() if name != "open"}
    start = {name: w for name, w in zip(facts["names"], facts["weights"], strict=True) if w > 0}
    return built(form, points, model.basis, model.kept, facts, start, facts.get("stalls", False))


def enriched(
    model: Model,
    form: Form,
    points: QuadratureSpace,
    fields: Array,
    stresses: Sequence[Array],
    memory: Mapping[str, Sequence[Array]],
    lifts: Array | None = None,
) -> Model:
    """Return the model `completed` by further states and `searched`. Collective."""
    return searched(completed(model, form, fields, stresses, memory, lifts), form, points)


def after(modes: Array, rows: Sequence[Array]) -> list[Array]:
    """Return modes (points, c, n) and then rows (points, c) as rows."""
    return [*np.moveaxis(modes, 2, 0), *rows]


def decomposed(
    points: QuadratureSpace, rows: Sequence[Array], weights: Array | None = None, tolerance: float = FINEST
) -> Array:
    """Return modes (own points, c, n) of rows (own points, c), as long as their singular values. Collective.

    ``weights`` (own points,) are those of an inner product, 1 without them; what lies below ``tolerance`` of
    the largest singular value is left out. Rows stay as they are.
    """
    found = Incremental(at_points(points, weights), tolerance)
    found.rows = [row.copy() for row in rows]
    return found.decomposed()
