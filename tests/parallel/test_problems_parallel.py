"""Linear systems on any ranks: the same rows, solutions and places, and restarts on others."""

import shutil
import sys

import h5py
import numpy as np
import pytest
from io_jobs import plexus
from mpi4py import MPI

from plexus import driver, registry
from plexus.errors import InputError
from plexus.mesh.alone import Alone
from plexus.models.algebraic.form import AlgebraicForm

GRIDS = [name for name in registry.names("problem") if name != "file"]
HEAD = "%%MatrixMarket matrix coordinate real general\n"


def made(name, **given):
    component = registry.component("problem", name)
    if not given:
        example = sys.modules[component.cls.__module__].EXAMPLE
        given = {k: v for k, v in example.items() if k != "type"}
    params = component.params.model_validate(given)
    params._type = name
    return component.cls(params)


def gathered(comm, layout, system):
    """Return places, rows and fields of all ranks, in their order."""
    own = layout.positions, np.diff(system.pointer), system.columns, system.values, system.rhs
    parts = comm.allgather((*own, *system.fields.values()))
    return [np.concatenate(part) for part in zip(*parts, strict=True) if part[0] is not None]


@pytest.mark.mpi
@pytest.mark.parametrize("name", GRIDS)
def test_rows_are_the_same_on_any_ranks(name):
    comm, t = MPI.COMM_WORLD, 0.03
    problem = made(name)
    alone, layout = problem.layout(Alone()), problem.layout(comm)
    assert sum(comm.allgather(layout.n_owned)) == layout.n_global == alone.n_global
    expected = gathered(MPI.COMM_SELF, alone, problem.system(alone, t))
    for one, other in zip(gathered(comm, layout, problem.system(layout, t)), expected, strict=True):
        assert (one == other).all()


@pytest.mark.mpi
@pytest.mark.parametrize("given", [{}, {"cells": [4, 3]}, {"block_size": 2}], ids=str)
def test_the_first_rank_deals_the_rows_of_a_file(shared_path, given):
    path, n = shared_path / "a.mtx", 12
    entries = [(i, j, i + 0.1 * j) for i in range(n) for j in (i - 1, i, (i + 5) % n) if j >= 0]
    if MPI.COMM_WORLD.rank == 0:
        rows = "".join(f"{i + 1} {j + 1} {a!r}\n" for i, j, a in entries)
        path.write_text(f"{HEAD}{n} {n} {len(entries)}\n{rows}")
    MPI.COMM_WORLD.Barrier()
    problem = made("file", file=str(path), **given)
    layout = problem.layout(MPI.COMM_WORLD)
    form = AlgebraicForm(problem, layout, 0.0)
    dense = np.zeros((n, n))
    start, end = form.matrix.mat.getOwnershipRange()
    dense[start:end] = form.matrix.mat[start:end, :n]
    dense = MPI.COMM_WORLD.allreduce(dense)
    expected = np.zeros((n, n))
    for i, j, a in entries:
        expected[i, j] = a
    assert (dense == expected).all()
    largest = np.sqrt(np.abs(expected).max(axis=1))
    difference = np.abs(expected - expected.T) / largest / largest[:, None]
    size, i, j = form.worst
    assert size == pytest.approx(difference.max()) and difference[i, j] == pytest.approx(size)
    assert not form.symmetric and form.bodies().count == 1


@pytest.mark.mpi
def test_a_damaged_file_is_refused_on_all_ranks(shared_path):
    if MPI.COMM_WORLD.rank == 0:
        (shared_path / "a.mtx").write_text(f"{HEAD}3 3 3\n1 1 1\n2 2 nan\n3 3 1\n")
    MPI.COMM_WORLD.Barrier()
    problem = made("file", file=str(shared_path / "a.mtx"))
    layout = problem.layout(MPI.COMM_WORLD)
    with pytest.raises(InputError, match=r"a\.mtx:4: row 2, column 2 has the value nan"):
        problem.system(layout, 0.0)


@pytest.mark.mpi
def test_parts_that_nothing_joins_are_found_over_ranks(shared_path):
    if MPI.COMM_WORLD.rank == 0:
        pairs = [(i, (i + 6) % 12) for i in range(12)]
        rows = "".join(f"{i + 1} {i + 1} 1\n{i + 1} {j + 1} -1\n" for i, j in pairs)
        (shared_path / "a.mtx").write_text(f"{HEAD}12 12 24\n{rows}")
    MPI.COMM_WORLD.Barrier()
    problem = made("file", file=str(shared_path / "a.mtx"))
    found = AlgebraicForm(problem, problem.layout(MPI.COMM_WORLD), 0.0).bodies()
    assert found.count == 6
    labels = np.concatenate(MPI.COMM_WORLD.allgather(found.labels[:, 0]))
    assert (labels[:6] == labels[6:]).all() and len(set(labels)) == 6


MOVING = """\
plexus: 1
physics: {type: matrix, problem: {type: moving_obstacle, cells: [8, 8, 8], duration: 4 s}}
time: {stepper: quasistatic, end: 4 s, step: 1 s}
solver: {u: {ksp: cg, rtol: 1e-12, preconditioner: jacobi}}
quantities:
  norm: {type: norm, of: u}
  top: {type: maximum, of: u}
  there: {type: value, of: u, at: [0.9, 0.1, 0.3]}
output:
  - {type: fields, every: 1 steps, fields: [u, solid]}
  - {type: probe, points: [[0.1, 0.1, 0.1], [0.9, 0.9, 0.9]], every: 1 steps}
  - {type: checkpoint, every: 1 steps, keep: 99}
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of a run on one rank."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "deck.yaml").write_text(MOVING)
    assert driver.run(folder / "deck.yaml", folder=folder / "out") == 0
    return folder / "out"


def assert_same(one, other):
    """Compare histories, and the cells of all outputs: slabs come in the order of the cells."""
    for name, path, tables in (
        ("series.h5", "", ("quantities", "probes/probe")),
        ("fields.vtkhdf", "VTKHDF/", ("CellData",)),
    ):
        with h5py.File(one / name) as a, h5py.File(other / name) as b:
            for table in tables:
                for column, data in a[path + table].items():
                    found = b[path + table][column][:]
                    np.testing.assert_allclose(found, data[:], rtol=1e-8, atol=1e-11, err_msg=column)


def test_a_sequence_on_three_ranks_is_that_of_one(whole, tmp_path):
    code, err = plexus(tmp_path, MOVING, "-o", "three", ranks=3)
    assert code == 0, err
    assert_same(whole, tmp_path / "three")


def test_a_restart_on_two_ranks_equals_the_whole_run(whole, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    for name in ("fields.vtkhdf", "series.h5", "checkpoint_00000002.h5"):
        shutil.copy(whole / name, half / name)
    code, err = plexus(tmp_path, MOVING, "-o", "half", "--restart", "latest", ranks=2)
    assert code == 0, err
    assert_same(whole, half)


def test_a_checkpoint_of_other_rows_is_refused(whole, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    shutil.copy(whole / "checkpoint_00000002.h5", half)
    text = MOVING.replace("[8, 8, 8]", "[9, 9, 9]")
    code, err = plexus(tmp_path, text, "-o", "half", "--restart", "latest")
    assert code == 2 and "checkpoint" in err, err
