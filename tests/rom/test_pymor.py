"""pyMOR as a second opinion: its decomposition, and its Galerkin model on the modes of our file."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from plexus.compose import compose
from plexus.deck.schema import Deck
from plexus.offline.history import History
from plexus.offline.main import reduce
from plexus.offline.snapshots import Snapshots
from plexus.runtime import context
from plexus.snapshots.run import OwnRun, RunParams

pymor = pytest.importorskip("pymor", reason="pyMOR is not installed")


def deck(folder, **blocks):
    """Return an elastic plate under two loads that change independently."""
    data = {
        "plexus": 1,
        "mesh": {"type": "box", "cell": "quadrilateral", "cells": [6, 4], "size": [1, 0.6]},
        "physics": {"type": "elastoviscoplastic", "geometry": "plane_strain", "degree": 1,
                    "law": {"type": "j2", "density": 1e4, "young_modulus": "200 GPa", "poisson_ratio": 0.3,
                            "yield_stress": "1e6 GPa"},
                    "body_force": ["1e6*sin(3*t)", 0]},
        "boundary": [{"on": "left", "displacement": [0, 0]},
                     {"on": "right", "traction": ["1e6*t*(1 - y)", "2e5*t^2"]}],
        "time": {"stepper": "quasistatic", "step": 0.25, "end": 2},
        "solver": {"displacement": {"preconditioner": "mumps", "snes_rtol": 1e-12}},
        "reduce": {"tolerance": 1e-6, "cubature": 1e-12, "stalls": True},
        **blocks,
    }  # fmt: skip
    return Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return the folder of a reduced model, and the full run with its snapshots."""
    from mpi4py import MPI

    folder = tmp_path_factory.mktemp("pymor")
    reduce(deck(folder), context.create(MPI.COMM_SELF, folder))
    run = compose(deck(folder), context.create(MPI.COMM_SELF, folder))
    form, points = run.system.forms["displacement"], run.system.quadrature
    kept = History(run.system, "displacement", Snapshots(form, points, ()))
    OwnRun(RunParams()).march(run, kept.keep)
    return folder, run, kept.snapshots.fields.rows


def modes_of(path, names):
    """Return the modes of a rom.h5, rows of nodes in an order of names, (n m, k)."""
    with h5py.File(path) as file:
        ids, rows = file["ids/nodes1"][:], file["arrays/modes/displacement"][:]
    order = np.argsort(ids)
    return rows[order[np.searchsorted(ids[order], names)]].reshape(2 * len(names), -1)


def mass_of(form, size):
    """Return the matrix of the inner product, dense."""
    from plexus.reduction.measures import mass

    return mass(form, np.eye(size))


def test_pods_span_the_same(made):
    from pymor.algorithms.pod import pod
    from pymor.operators.numpy import NumpyMatrixOperator

    folder, run, kept = made
    form = run.system.forms["displacement"]
    snapshots = np.column_stack([u.ravel() for u in kept])
    m = mass_of(form, len(snapshots))
    product = NumpyMatrixOperator((m + m.T) / 2)
    theirs, values = pod(product.source.from_numpy(snapshots), product=product, rtol=1e-7)
    many = int((values**2 >= 1e-8 * values[0] ** 2).sum())
    ours = modes_of(folder / "rom.h5", form.space.names()[: form.space.n_owned])[:, :many]
    cross = ours.T @ m @ theirs.to_numpy()[:, :many]
    sines = np.sqrt(np.maximum(0, 1 - np.linalg.svd(cross, compute_uv=False) ** 2))
    assert many >= 3 and sines.max() < 1e-7
    # the sine of a small angle from its cosine has half the digits: what is left after projection has all
    left = ours - theirs.to_numpy()[:, :many] @ (theirs.to_numpy()[:, :many].T @ m @ ours)
    assert np.sqrt(np.einsum("ij,ij->j", left, m @ left)).max() < 1e-8


def test_the_same_reduced_answer(made):
    from mpi4py import MPI
    from pymor.models.basic import StationaryModel
    from pymor.operators.numpy import NumpyMatrixOperator
    from pymor.reductors.basic import StationaryRBReductor

    folder, run, _ = made
    form = run.system.forms["displacement"]
    basis = modes_of(folder / "rom.h5", form.space.names()[: form.space.n_owned])
    short = {"time": {"stepper": "quasistatic", "step": 0.25, "end": 1.3}}
    rom = {"type": "galerkin", "file": str(folder / "rom.h5"), "tolerance": 1e-13}
    ours = compose(deck(folder, rom=rom, **short), context.create(MPI.COMM_SELF, folder))
    ours.observers = []
    ours.execute()
    k, f = linearised(run, 1.3)
    model = StationaryModel(NumpyMatrixOperator(k), NumpyMatrixOperator(f[:, None]))
    reductor = StationaryRBReductor(
        model, RB=model.solution_space.from_numpy(basis), check_orthonormality=False
    )
    theirs = reductor.reconstruct(reductor.reduce().solve()).to_numpy()[:, 0]
    found = ours.fields.state.values["displacement"].ravel()
    assert np.abs(found - theirs).max() < 1e-8 * np.abs(theirs).max()


def linearised(run, t):
    """Return stiffness and load of the elastic body at a time, without its supports, by differences."""
    from plexus.protocols import Since

    form = run.system.forms["displacement"]
    space, zero = form.space, form.space.zeros()

    def forces(u):
        memory = run.system.begin()
        return form.reactions(t, u, None, {"displacement": u, **memory}, Since(0.25, memory)).ravel()

    f, columns = forces(zero), []
    for j in range(zero.size):
        u = zero.copy()
        u.flat[j] = 1.0
        columns.append(forces(u) - f)
    assert space.n_owned == space.n_local
    return np.column_stack(columns), -f
