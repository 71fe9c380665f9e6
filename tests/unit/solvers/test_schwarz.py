"""Additive Schwarz with a coarse space: symmetric, the same on any ranks, nearly so for any subdomains."""

import numpy as np
import pytest
from linear_systems import BEAM, CHANNELS, NAME, OBSTACLES, solved, system
from mpi4py import MPI
from petsc4py import PETSc

from plexus.errors import InputError
from plexus.nets import directions as nets
from plexus.solvers.directions.context import Directions
from plexus.solvers.schwarz.context import Schwarz
from plexus.solvers.schwarz.subdomains import boxes

SCHWARZ = "plexus.solvers.learned.Schwarz"
PLUME = {"type": "plume", "cells": [32, 32, 32], "layout": "many"}
SMALL = {"type": "channels", "cells": [8, 8, 8], "seed": 2}
CYCLE = {"sub_pc_type": "python", "sub_pc_python_type": NAME}
EXACT = {4: 32, 8: 31, 16: 31, 32: 33, 64: 26}
"""Subdomains -> iterations of the reference with exact solves, without overlap."""


def test_boxes_halve_the_longest_side():
    cells = np.stack(np.unravel_index(np.arange(16 * 8 * 8), (16, 8, 8)), axis=1)
    names = boxes(cells, np.zeros(3, int), np.array([16, 8, 8]), 6)
    assert sorted(set(names)) == list(range(6))
    counts = np.bincount(names)
    assert counts.sum() == len(cells)
    assert counts.max() <= 1.7 * counts.min()
    assert (cells[names == 0].max(axis=0) < [8, 8, 8]).all()


def test_iterations_hardly_depend_on_the_number_of_subdomains():
    mat, b = system(PLUME, MPI.COMM_SELF)
    given = {"name": SCHWARZ, "overlap": 0}
    counts = {n: solved(mat, b, subdomains=n, **given, **CYCLE)[0].getIterationNumber() for n in (2, *EXACT)}
    assert max(counts.values()) <= 1.6 * min(counts.values())
    for n in (16, 64):
        exact = solved(mat, b, subdomains=n, **given)[0].getIterationNumber()
        assert abs(exact - EXACT[n]) <= 4
        assert counts[n] <= 1.5 * exact
    loose = solved(mat, b, subdomains=64, coarse=False, **given, **CYCLE)[0].getIterationNumber()
    assert loose > 1.5 * counts[64]


@pytest.mark.mpi(min_size=2)
@pytest.mark.parametrize(("count", "overlap", "inside"), [(2, 0, CYCLE), (5, 2, CYCLE), (7, 1, {})])
def test_iterations_and_solution_do_not_depend_on_ranks(count, overlap, inside):
    """On three ranks one of them has no subdomain of two."""
    given = {"name": SCHWARZ, "subdomains": count, "overlap": overlap, **inside}
    (shared, x), (alone, y) = (
        solved(*system(OBSTACLES, comm), rtol=1e-10, **given) for comm in (MPI.COMM_WORLD, MPI.COMM_SELF)
    )
    assert abs(shared.getIterationNumber() - alone.getIterationNumber()) <= 1
    assert shared.getConvergedReason() > 0
    whole = np.concatenate(MPI.COMM_WORLD.allgather(x))
    assert np.abs(whole - y).max() <= 1e-8 * np.abs(y).max()


@pytest.mark.parametrize("overlap", [0, 2])
@pytest.mark.parametrize("inside", [{}, CYCLE | {"sub_pc_plexus_bits": 64}], ids=["exact", "cycle"])
def test_it_is_symmetric_and_positive_definite(inside, overlap):
    mat, b = system(SMALL, MPI.COMM_SELF)
    solver, _ = solved(mat, b, name=SCHWARZ, overlap=overlap, **inside)
    m = np.zeros((b.size, b.size))
    unit, answer = mat.createVecs()
    for j, column in enumerate(m):
        unit.set(0.0)
        unit.setValue(j, 1.0)
        unit.assemble()
        solver.getPC().apply(unit, answer)
        column[:] = answer.getArray()
    assert np.abs(m - m.T).max() <= 1e-12 * np.abs(m).max()
    assert np.linalg.eigvalsh((m + m.T) / 2)[0] > 0


def test_rows_without_places_are_shared_out():
    mat, b = system(CHANNELS, MPI.COMM_SELF)
    bare = mat.copy()
    solver, x = solved(bare, b, rtol=1e-8, name=SCHWARZ, subdomains=9)
    assert solver.getConvergedReason() > 0
    _, y = solved(mat, b, rtol=1e-8)
    assert np.abs(x - y).max() <= 1e-5 * np.abs(y).max()


@pytest.mark.parametrize("given", [{"subdomains": 0}, {"subdomains": 513}, {"overlap": -1}])
def test_numbers_that_no_matrix_has_are_refused(given):
    mat, b = system(SMALL, MPI.COMM_SELF)
    ((name, value),) = given.items()
    with pytest.raises(InputError, match=rf"-.*pc_plexus_{name}: {value} is not within [01] and 512"):
        solved(mat, b, name=SCHWARZ, **given)


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan])
def test_a_matrix_that_is_not_definite_is_a_failed_set_up(value):
    mat, b = system(SMALL, MPI.COMM_SELF)
    mat.setValue(3, 3, value)
    mat.assemble()
    solver, _ = solved(mat, b, name=SCHWARZ)
    assert solver.getConvergedReason() == PETSc.KSP.ConvergedReason.DIVERGED_PCSETUP_FAILED


def test_a_network_answers_in_every_box():
    """The published network sees the box of a subdomain; what it says is looked at there."""
    mat, b = system(PLUME | {"cells": [12, 12, 12]}, MPI.COMM_SELF)
    network = nets.Directions(nets.Plan("64", 2))
    watched = []

    def local():
        watched.append(Directions("", network=network))
        return watched[-1]

    ksp = PETSc.KSP().create(mat.comm)
    ksp.setOperators(mat)
    ksp.setType("fcg")
    ksp.getPC().setType("python")
    ksp.getPC().setPythonContext(Schwarz(local))
    ksp.setTolerances(rtol=1e-6, max_it=200)
    x = b.duplicate()
    ksp.solve(b, x)
    assert ksp.getConvergedReason() > 0
    assert len(watched) == 8
    assert all(w.shape == (7, 7, 7) and w.part.solves > 0 for w in watched)


def test_elasticity_takes_the_rigid_motions(make_run):
    counts = {}
    for name in ("lu", "aggregation"):
        run = make_run(BEAM % f"{{type: schwarz, local: {name}}}")
        list(run.march())
        counts[name] = run.system.solvers["displacement"].tally.iterations
    assert counts["lu"] <= 35
    assert counts["aggregation"] <= 1.5 * counts["lu"]
