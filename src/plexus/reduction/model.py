"""What a reduced model is: modes at the nodes, strains and weights at the points of a cubature; its file.

``rom.h5`` has the layout of a checkpoint, so that any number of ranks reads it, and facts as JSON. Rows with
the names of nodes are ``arrays/modes/<unknown>`` (nodes, m n), ``arrays/lifts/<unknown>`` (responses to what
is prescribed, to which modes add) and ``arrays/forces/<unknown>``, those with the names of quadrature points
``arrays/stress/modes``, ``arrays/memory/<variable>`` and ``arrays/temperature/shapes``. Column c n + j is
component c of mode j.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError
from plexus.io import checkpoint
from plexus.io.places import places, require_same_mesh
from plexus.reduction.cubature import compressed, cubature, square
from plexus.reduction.gappy import pivots
from plexus.reduction.measures import weights_of
from plexus.reduction.points import ReducedPoints
from plexus.spaces.controls import spread
from plexus.spaces.points import CellSet, Values, batches

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form
    from plexus.spaces.lagrange import Space
    from plexus.spaces.quadrature_space import QuadratureSpace

Array = np.ndarray
BELOW = 0.1
"""Singular values of works relative to the tolerance of a cubature below which they are left out."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What a model keeps of its training on one rank, so that it can be completed later.

    Attributes
    ----------
    stresses : array (own points, 9, k)
        Modes of the stresses, as long as their singular values.
    duals : dict
        Name of a memory variable -> its modes (own points, c, k), as long as their singular values.
    forces : array (n_owned m, k)
        Orthonormal span of the shapes of the loads it was made for.
    temperatures : array (own points, k)
        That of the temperatures.
    lifts : array (n_local, m, k)
        Elastic responses to the shapes of what is prescribed, ghosts included.
    """

    stresses: Array
    duals: Mapping[str, Array]
    forces: Array
    temperatures: Array
    lifts: Array


@dataclass(frozen=True, eq=False)
class Model:
    """A basis and a cubature on one rank.

    Attributes
    ----------
    basis : array (n_local, m, n)
        Modes at the nodes, ghosts included.
    points : ReducedPoints
        The points of this rank, with weights; those of weight 0 serve reconstructions.
    strains : array (s, 9, n)
        Strain of each mode at these.
    facts : dict
        Spectrum, tolerances, and what else is told of it.
    kept : Kept
        What is needed to complete it.
    """

    basis: Array
    points: ReducedPoints
    strains: Array
    facts: dict[str, Any]
    kept: Kept

    @property
    def open(self) -> bool:
        """Whether its basis has grown since its points were chosen, so that they do not serve it."""
        return bool(self.facts.get("open"))

    @property
    def arrays(self) -> dict[str, Array]:
        """All arrays by the names that they have in files, one row per own point or local node."""
        name, kept, components = self.facts["unknown"], self.kept, self.basis.shape[1]
        found = {
            f"modes/{name}": _rows(self.basis),
            f"lifts/{name}": _rows(kept.lifts),
            f"forces/{name}": kept.forces.reshape(
                len(kept.forces) // components, components * kept.forces.shape[1]
            ),
            "stress/modes": _rows(kept.stresses),
            "temperature/shapes": kept.temperatures,
        }
        return found | {f"memory/{dual}": _rows(a) for dual, a in kept.duals.items()}


def strains_of(form: Form, points: QuadratureSpace, basis: Array, rows: Array) -> Array:
    """Return the strain of each mode at some points of own cells, (k, 9, n)."""
    chosen = np.unique(rows // points.per_cell)
    found = strains_in(form, points, basis, chosen).reshape(basis.shape[2], -1, 9)
    place = np.searchsorted(chosen, rows // points.per_cell) * points.per_cell + rows % points.per_cell
    return np.ascontiguousarray(np.moveaxis(found[:, place], 0, 2))


def strains_in(form: Form, points: QuadratureSpace, basis: Array, chosen: Array | slice) -> Array:
    """Return the strain of each mode in some own cells, (n, cells, points per cell, 9)."""
    cells, equation = CellSet(form.space.mesh, form.bridge, chosen), form.equation
    found = np.empty((basis.shape[2], len(cells), points.per_cell, 9))
    for j in range(basis.shape[2]):
        values = {form.own: (form.space, np.ascontiguousarray(basis[:, :, j]))}
        for p in batches(cells, form.rule, 4096, 0.0, Values(values, form.own)):
            found[j, p.part] = equation.linear_strain(p).reshape(*p.shape, 9)  # type: ignore[attr-defined]
    return found


def built(
    form: Form, points: QuadratureSpace, basis: Array, kept: Kept, facts: dict[str, Any],
    start: Mapping[int, float] | None = None, stalls: bool = False,
) -> Model:  # fmt: skip
    """Return the model of a basis, with a cubature of what its stresses do on it. Collective.

    Beside the points of the cubature there are those that determine the modes of scalar memory variables,
    with weight 0.

    Parameters
    ----------
    form, points : Form, QuadratureSpace
        The equation, and its quadrature points.
    basis : array (n_local, m, n)
        Modes.
    kept : Kept
        Stresses and memory that it has to serve.
    facts : dict
        What is told of it so far; ``cubature`` among it is the tolerance.
    start : mapping, optional
        Names and weights of points with which the search begins.
    stalls : bool
        Whether a search that comes no further is taken for what it reached.

    Raises
    ------
    SolveError
        If the cubature does not reach its tolerance.
    """
    comm, own = points.comm, points.names()[: points.n_owned]
    weights, works = weights_of(form), Works(form, points, basis, kept.stresses)
    rows = compressed(comm, works, weights, BELOW * facts["cubature"])
    found = cubature(comm, rows, weights, own, facts["cubature"], start, stalls)
    names, shares = found.names, found.weights
    for modes in kept.duals.values():
        if modes.shape[1] == 1:
            sizes = np.sqrt(comm.allreduce(np.einsum("kcn,kcn->n", modes, modes)))
            more = np.setdiff1d(pivots(comm, modes[:, 0] / sizes, own), names)
            names, shares = np.append(names, more), np.append(shares, np.zeros(len(more)))
    order = np.argsort(names)
    chosen = ReducedPoints(points, names[order], shares[order])
    told = {
        "modes": int(basis.shape[2]), "names": names[order].tolist(), "weights": shares[order].tolist(),
        "error": found.error, "errors": found.errors.tolist(), "counts": found.counts.tolist(),
        "places": chosen.everywhere().tolist(),
    }  # fmt: skip
    return Model(basis, chosen, strains_of(form, points, basis, chosen.rows), facts | told, kept)


class Works:
    """Works of stresses on the modes of a basis at the own points: what a cubature has to integrate.

    There are as many functions as stresses times modes, too many to have them at all points at once: they are
    made piece by piece whenever they are asked for. Modes count with unit strain, so that an error of their
    work is one of the displacement in the norm of energy. Construction is collective.

    Parameters
    ----------
    form, points : Form, QuadratureSpace
        The equation, and its quadrature points.
    basis : array (n_local, m, n)
        Modes.
    stresses : array (own points, 9, k)
        Stresses.
    """

    def __init__(self, form: Form, points: QuadratureSpace, basis: Array, stresses: Array):
        self.form, self.points, self.basis, self.stresses = form, points, basis, stresses
        root, energy = np.sqrt(weights_of(form)), np.zeros((basis.shape[2],) * 2)
        for part, strains in self._strains():
            flat = (strains * root[part, None]).reshape(len(strains), -1)
            energy += square(flat)
        self._unit = np.linalg.inv(np.linalg.cholesky(points.comm.allreduce(energy)))

    def __iter__(self) -> Iterator[tuple[slice, Array]]:
        """Yield points, and the works there, (k n, points)."""
        n, count = self.basis.shape[2], self.stresses.shape[2] * self.basis.shape[2]
        for part, strains in self._strains():
            unit = (self._unit @ strains.reshape(n, -1)).reshape(strains.shape)
            works = self.stresses[part].transpose(0, 2, 1) @ unit.transpose(1, 2, 0)
            yield part, works.reshape(len(works), count).T

    def _strains(self) -> Iterator[tuple[slice, Array]]:
        """Yield points, and the strains of the modes there, (n, points, 9)."""
        for part in self.points.pieces():
            cells = slice(part.start // self.points.per_cell, part.stop // self.points.per_cell)
            found = strains_in(self.form, self.points, self.basis, cells)
            yield part, found.reshape(len(found), -1, 9)


def save(path: Path, space: Space, points: QuadratureSpace, model: Model) -> None:
    """Write a reduced model; it is visible and on the disk when this returns. Collective."""
    ids = {space.key: space.names()[: space.n_owned], points.key: points.names()[: points.n_owned]}
    nodal = ("modes/", "lifts/", "forces/")
    sets = {k: space.key if k.startswith(nodal) else points.key for k in model.arrays}
    rows = {k: a[: len(ids[sets[k]])] for k, a in model.arrays.items()}
    facts = {"reduced": model.facts, "places": {each.key: places(each) for each in (space, points)}}
    checkpoint.write(path, space.comm, ids, checkpoint.Content(facts, rows, sets))


def load(path: Path, form: Form, points: QuadratureSpace) -> Model:
    """Read a reduced model for the mesh of a form. Collective.

    Raises
    ------
    InputError
        If the file is missing, damaged, no reduced model, or of another mesh or unknown.
    """
    space, name = form.space, form.equation.field.name
    about = checkpoint.about(path, space.comm)
    if "reduced" not in about.facts:
        raise InputError(f"{path}: this is a checkpoint, no reduced model; `plexus reduce` makes one")
    facts = about.facts["reduced"]
    if facts["unknown"] != name or facts["points"] != points.n_global:
        raise InputError(f"{path}: the reduced model belongs to another mesh, degree or unknown")
    # files from before that was looked at have none
    require_same_mesh(path, about.facts.get("places", {}), {each.key: each for each in (space, points)})
    wanted = {space.key: space.names()[: space.n_owned], points.key: points.names()[: points.n_owned]}
    arrays = checkpoint.read(path, space.comm, wanted, about).arrays
    return assembled(form, points, facts, arrays)


def assembled(form: Form, points: QuadratureSpace, facts: dict[str, Any], rows: Mapping[str, Array]) -> Model:
    """Return the model of the own rows of its arrays. Collective."""
    space, name = form.space, facts["unknown"]
    basis = _whole(space, rows[f"modes/{name}"])
    duals = {dual: _columns(rows[f"memory/{dual}"], width) for dual, width in facts["widths"].items()}
    forces = rows[f"forces/{name}"]
    kept = Kept(
        _columns(rows["stress/modes"], 9),
        duals,
        forces.reshape(len(forces) * space.components, forces.shape[1] // space.components),
        rows["temperature/shapes"],
        # files from before reduced models took prescribed values have none
        _whole(space, rows.get(f"lifts/{name}", np.zeros((len(forces), 0)))),
    )
    chosen = ReducedPoints(points, np.array(facts["names"], dtype=np.int64), np.array(facts["weights"]))
    return Model(basis, chosen, strains_of(form, points, basis, chosen.rows), facts, kept)


def _rows(a: Array) -> Array:
    """Return (count, width, k) as rows (count, width k); there may be none here."""
    return a.reshape(len(a), a.shape[1] * a.shape[2])


def _columns(rows: Array, width: int) -> Array:
    """Return rows (count, width k) as (count, width, k); there may be none here."""
    return rows.reshape(len(rows), width, rows.shape[1] // width)


def _whole(space: Space, own: Array) -> Array:
    """Return rows of own nodes (n_owned, m k) with those of ghosts, (n_local, m, k). Collective."""
    return _columns(spread(own, space.halo), space.components)
