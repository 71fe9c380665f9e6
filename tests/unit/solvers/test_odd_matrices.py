"""Multigrid on matrices and options that nobody thinks of: an answer, or an error that says why."""

import numpy as np
import pytest
from linear_systems import CHANNELS, system
from linear_systems import solved as solved_for
from mpi4py import MPI
from petsc4py import PETSc

from plexus.errors import InputError
from plexus.solvers.multigrid import POSITIONS

FAILED = PETSc.KSP.ConvergedReason.DIVERGED_PCSETUP_FAILED


def line(n, ends=1.0):
    """Return second differences, with ``ends`` of what holds them there."""
    full = 2.0 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    full[0, 0] = full[-1, -1] = 1.0 + ends
    return full


def sparse(full, cells=None):
    """Return a matrix on this process, with the cells of its rows (n, d)."""
    i, j = np.nonzero(full)
    pointer = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=len(full)))])
    rows = pointer.astype(PETSc.IntType), j.astype(PETSc.IntType), full[i, j]
    mat = PETSc.Mat().createAIJ(len(full), csr=rows, comm=MPI.COMM_SELF)
    if cells is not None:
        places = PETSc.Vec().createSeq(cells.size)
        places.setBlockSize(cells.shape[1])
        places.setArray(cells.ravel().astype(float))
        mat.compose(POSITIONS, places)
    return mat


def solved(mat, values, **given):
    """Return the solver after its solve for ``values`` (own rows,), and the solution."""
    b = mat.createVecLeft()
    b.setArray(values)
    return solved_for(mat, b, **given)


def left(full, found, b):
    """Return the reason of a solve, and its residual relative to b."""
    solver, x = found
    return solver.getConvergedReason(), np.linalg.norm(full @ x - b) / np.linalg.norm(b)


ROWS = np.stack([np.arange(150), np.zeros(150)], axis=1)
PAIRS = np.kron(np.eye(75), [[1.0, -1.0], [-1.0, 1.0]])
PARTS = np.kron(np.eye(15), line(10, 0.0)) + np.diag(np.arange(150) < 80) * 0.1
BIG = np.diag(np.where(np.arange(150) == 7, 1e8, 1.0))
ODD = {
    "identity": (np.eye(150), None),
    "diagonal": (np.diag(10.0 ** np.linspace(-15, 15, 150)), None),
    "identity on a grid": (np.eye(150), ROWS),
    "one row": (np.array([[2.0]]), None),
    "pairs that nothing holds": (PAIRS, ROWS),
    "parts that nothing holds": (PARTS, ROWS),
    "parts that nothing holds, paired": (PARTS, None),
    "one large row": (BIG @ line(150) @ BIG, None),
    "one small row": (np.linalg.inv(BIG) @ line(150) @ np.linalg.inv(BIG), ROWS),
    "full": (np.eye(150) + 1.0, None),
}


@pytest.mark.parametrize("cycle", ["two_step", "v", "k"])
@pytest.mark.parametrize("name", ODD)
def test_odd_matrices_are_solved(name, cycle):
    full, cells = ODD[name]
    # what a matrix makes of something is what it can reach
    b = full @ np.sin(np.arange(1.0, len(full) + 1))
    solver = solved(sparse(full, cells), b, rtol=1e-8, cycle=cycle, ksp="fcg" if cycle == "k" else "cg")
    reason, residual = left(full, solver, b)
    assert reason > 0 and residual < 1e-7 and solver[0].getIterationNumber() < 60


@pytest.mark.mpi(min_size=2)
def test_ranks_without_coupled_rows_go_along():
    rank, size = MPI.COMM_WORLD.rank, MPI.COMM_WORLD.size
    mat = PETSc.Mat().createAIJ(100 * size, nnz=3, comm=MPI.COMM_WORLD)
    first, last = mat.getOwnershipRange()
    for i in range(first, last):
        mat.setValue(i, i, 2.0)
        for j in (i - 1, i + 1):
            if rank == 0 and first <= j < last:
                mat.setValue(i, j, -1.0)
    mat.assemble()
    for gathered in (0, 4000):
        solver, _ = solved(mat, np.ones(last - first), rtol=1e-8, gathered=gathered)
        assert solver.getConvergedReason() > 0


@pytest.mark.parametrize("ksp", ["cg", "fcg", "gmres", "bcgs", "richardson"])
def test_every_method_sees_a_set_up_that_failed(ksp):
    solver, _ = solved(sparse(-line(80)), np.ones(80), ksp=ksp)
    assert solver.getConvergedReason() == FAILED


@pytest.mark.parametrize(
    ("option", "value"),
    [("cycle", "w"), ("degree", 7), ("bits", 8), ("backend", "gpu"), ("theta", -1.0), ("share", float("nan")),
     ("passes", 0), ("over_correction", 0.0), ("gathered", -1)],
)  # fmt: skip
def test_options_out_of_range_are_told_by_name(option, value):
    with pytest.raises(InputError, match=rf"-.*pc_plexus_{option}: {value} is "):
        solved(sparse(line(80)), np.ones(80), **{option: value})


@pytest.mark.parametrize("kind", ["sbaij", "baij", "dense", "nest", "python"])
def test_matrices_of_any_type_are_solved_or_refused(kind):
    full = line(80)
    mat = sparse(full)
    mat.setOption(PETSc.Mat.Option.SYMMETRIC, True)
    if kind == "nest":
        full = np.kron(np.eye(2), full)
        mat = PETSc.Mat().createNest([[mat, None], [None, mat]], comm=MPI.COMM_SELF)
        mat.assemble()
    elif kind == "python":
        mat = PETSc.Mat().createPython(80, object(), comm=MPI.COMM_SELF)
        mat.setUp()
        with pytest.raises(InputError, match="of type python has none"):
            solved(mat, np.ones(80))
        return
    else:
        mat = mat.convert(kind, PETSc.Mat())
    b = np.ones(len(full))
    reason, residual = left(full, solved(mat, b, rtol=1e-8), b)
    assert reason > 0 and residual < 1e-7


def test_cells_that_are_not_those_of_the_rows_are_refused():
    with pytest.raises(InputError, match=f"{POSITIONS}: 158 numbers are no cells .* in 2 dimensions"):
        solved(sparse(line(80), np.zeros((79, 2))), np.ones(80))


@pytest.mark.parametrize("ksp", ["gmres", "fgmres", "gcr", "bcgs"])
def test_vectors_that_are_no_residuals_need_not_fall(ksp):
    mat, b = system(CHANNELS, MPI.COMM_SELF)
    solver, _ = solved_for(mat, b, ksp=ksp, bundle="grids_k", cycle="v", degree=1)
    part = solver.getPC().getPythonContext().part
    assert solver.getIterationNumber() > 12 and part.left == 0


@pytest.mark.parametrize("ksp", ["gmres", "bcgs"])
def test_methods_that_combine_answers_have_exact_ones(make_run, ksp):
    """In single precision the residual that gmres believes is none of its answer."""
    deck = """
plexus: 1
mesh: {type: box, cell: quadrilateral, cells: [60, 2], size: [30 m, 1 m]}
physics:
  type: elasticity
  geometry: plane_stress
  material: {density: 1 kg/m^3, young_modulus: 1 Pa, poisson_ratio: 0.3}
  gravity: [0, -1e-6]
boundary: [{on: left, displacement: [0, 0]}]
solver: {displacement: SOLVER}
"""
    found = []
    for solver in ("{preconditioner: lu}", f"{{ksp: {ksp}, rtol: 1e-8, preconditioner: aggregation}}"):
        run = make_run(deck.replace("SOLVER", solver))
        run.execute()
        found.append(run.state.values["displacement"])
    assert np.abs(found[1] - found[0]).max() <= 1e-5 * np.abs(found[0]).max()
