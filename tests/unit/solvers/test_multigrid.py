"""The multigrid on aggregates: symmetric and positive, the same on any ranks, few iterations."""

import subprocess
import sys

import numpy as np
import pytest
from linear_systems import BEAM, CHANNELS, NAME, OBSTACLES, solved, system
from mpi4py import MPI
from petsc4py import PETSc

from plexus.solvers.multigrid import lanczos, vectors
from plexus.solvers.multigrid.context import positions
from plexus.solvers.multigrid.hierarchy import Hierarchy, Settings
from plexus.solvers.multigrid.matrices import of_petsc
from plexus_kernels.native.multigrid import LANES, Cycle, Level


def dense(mat, **settings):
    """Return A and the cycle as dense matrices."""
    matrix = of_petsc(mat)
    cycle = Hierarchy(matrix, Settings(bits=64, **settings), positions(mat)).cycle
    a, m = np.zeros((2, matrix.n, matrix.n))
    at = np.repeat(np.arange(matrix.n), np.diff(matrix.rows.ptr))
    a[at, matrix.rows.col] = matrix.rows.val
    for j, column in enumerate(np.eye(matrix.n)):
        cycle.apply(column, m[j])
    return a, m


@pytest.mark.parametrize("cycle", ["v", "two_step"])
@pytest.mark.parametrize(
    "given",
    [
        {"type": "channels", "cells": [8, 8, 8], "seed": 2},
        {"type": "obstacles", "cells": [8, 8, 8], "layout": "many"},
    ],
    ids=["channels", "obstacles"],
)
def test_the_cycle_is_symmetric_and_positive_definite(given, cycle, monkeypatch):
    monkeypatch.setattr("plexus.solvers.multigrid.hierarchy.SMALL", 8)  # three levels of a small matrix
    mat, _ = system(given, MPI.COMM_SELF)
    _, m = dense(mat, cycle=cycle, over_correction=2.0)
    assert np.abs(m - m.T).max() <= 1e-12 * np.abs(m).max()
    assert np.linalg.eigvalsh((m + m.T) / 2)[0] > 0


def test_smoothing_alone_is_the_polynomial():
    """One level without a coarse one: I - M A = p(D⁻¹A)², p of Chebyshev on the interval."""
    mat, _ = system({"type": "channels", "cells": [8, 8, 8], "seed": 2}, MPI.COMM_SELF)
    matrix = of_petsc(mat)
    n = matrix.n
    lo, hi = 0.3, 2.0
    level = Level(*matrix.rows, n, matrix.diagonal, np.full(n, -1, np.int32), smoother=(lo, hi), degree=3)
    cycle = Cycle([level], 64)
    a, m = np.zeros((2, n, n))
    at = np.repeat(np.arange(n), np.diff(matrix.rows.ptr))
    a[at, matrix.rows.col] = matrix.rows.val
    for j, column in enumerate(np.eye(n)):
        cycle.apply(column, m[j])
    scaled = a / np.sqrt(np.outer(matrix.diagonal, matrix.diagonal))
    values, q = np.linalg.eigh(scaled)
    t = np.polynomial.chebyshev.Chebyshev([0, 0, 0, 1])
    p = t((hi + lo - 2 * values) / (hi - lo)) / t((hi + lo) / (hi - lo))
    root = np.sqrt(matrix.diagonal)
    error = (q * p**2) @ q.T / root[:, None] * root
    assert np.abs(np.eye(n) - m @ a - error).max() <= 1e-10


@pytest.mark.parametrize("bits", [16, 32, 64])
@pytest.mark.parametrize("wild", [0.0, 0.3], ids=["few distances", "many"])
def test_a_product_is_that_of_the_rows(wild, bits):
    """Rows with few distances to their columns stand side by side, others one behind the other."""
    rng, n = np.random.default_rng(0), 100
    near = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    on = ((near <= 1) | (near == 10)) & (rng.random((n, n)) < 0.8) | (rng.random((n, n)) < wild)
    full = np.where(on | (near == 0), rng.integers(-8, 9, (n, n)), 0.0)
    at, col = np.nonzero(full)
    ptr = np.append(0, np.cumsum(np.bincount(at, minlength=n))).astype(np.int32)
    level = Level(ptr, col.astype(np.int32), full[at, col], n, np.ones(n), np.full(n, -1, np.int32), degree=1)
    level.pack(bits)
    abreast = LANES * np.diff(level.packed.where) == np.diff(level.packed.start)
    # nothing is read before the first row, and the last bundle is not full
    assert abreast.tolist() == [False] + [wild == 0] * (n // LANES - 1) + [False]
    x, y = rng.standard_normal((2, n))
    Cycle([level], bits).product(x, y, 0)
    assert np.abs(y - full @ x).max() <= (1e-12 if bits == 64 else 1e-4) * np.abs(full).sum(axis=1).max()


@pytest.mark.parametrize(("given", "bound"), [(CHANNELS, 10), (OBSTACLES, 7)], ids=["channels", "obstacles"])
@pytest.mark.parametrize("cycle", ["two_step", "k"])
def test_few_iterations(given, bound, cycle):
    mat, b = system(given, MPI.COMM_SELF)
    solver, _ = solved(mat, b, ksp="cg" if cycle == "two_step" else "fcg", cycle=cycle)
    assert 0 < solver.getIterationNumber() <= bound


@pytest.mark.parametrize("cycle", ["two_step", "v", "k"])
def test_petsc_builds_the_same_cycle(cycle):
    mat, b = system(CHANNELS, MPI.COMM_SELF)
    ksp = "fcg" if cycle == "k" else "cg"
    (own, x), (petsc, y) = (
        solved(mat, b, ksp=ksp, rtol=1e-9, cycle=cycle, bits=64, backend=backend)
        for backend in ("compiled", "petsc")
    )
    assert own.getIterationNumber() == petsc.getIterationNumber()
    assert np.abs(x - y).max() <= 1e-9 * np.abs(x).max()


@pytest.mark.parametrize(("given", "more"), [(CHANNELS, 3), (OBSTACLES, 1)], ids=["channels", "obstacles"])
def test_lower_precision_inside_costs_few_iterations(given, more):
    mat, b = system(given, MPI.COMM_SELF)
    counts = {}
    for bits in (64, 32, 16):
        solver, x = solved(mat, b, rtol=1e-10, bits=bits)
        left = mat.createVecLeft()
        mat.mult(PETSc.Vec().createWithArray(x, comm=MPI.COMM_SELF), left)
        left.axpy(-1.0, b)
        assert left.norm() <= 2e-10 * b.norm()
        counts[bits] = solver.getIterationNumber()
    assert counts[32] <= counts[64] + 1
    assert counts[16] <= counts[64] + more


@pytest.mark.mpi(min_size=2)
@pytest.mark.parametrize("given", [CHANNELS, OBSTACLES], ids=["channels", "obstacles"])
@pytest.mark.parametrize("cycle", ["two_step", "k", "v"])
def test_iterations_and_solution_do_not_depend_on_ranks(given, cycle):
    (shared, x), (alone, y) = (
        solved(*system(given, comm), rtol=1e-10, cycle=cycle, gathered=100)
        for comm in (MPI.COMM_WORLD, MPI.COMM_SELF)
    )
    assert abs(shared.getIterationNumber() - alone.getIterationNumber()) <= 1
    whole = np.concatenate(MPI.COMM_WORLD.allgather(x))
    assert np.abs(whole - y).max() <= 1e-8 * np.abs(y).max()


def test_a_kernel_of_constants_is_no_obstacle():
    """Nothing holds the solution of a box without prescribed values; the mean stays what it was."""
    mat, b = system(OBSTACLES | {"cells": [12, 12, 12]}, MPI.COMM_SELF)
    sums = mat.createVecLeft()
    ones = mat.createVecRight()
    ones.set(1.0)
    mat.mult(ones, sums)
    loose = mat.copy()
    diagonal = mat.getDiagonal()
    diagonal.axpy(-1.0, sums)
    loose.setDiagonal(diagonal)
    loose.setNullSpace(PETSc.NullSpace().create(constant=True, comm=MPI.COMM_SELF))
    loose.compose("plexus_positions", mat.query("plexus_positions"))
    b.shift(-b.sum() / b.getSize())
    solver, x = solved(loose, b, rtol=1e-9)
    assert 0 < solver.getIterationNumber() <= 25
    assert solver.getConvergedReason() > 0
    assert abs(x.sum()) <= 1e-8 * np.abs(x).sum()


def test_rows_with_prescribed_values_stand_alone():
    """Identity rows beside a path of springs do not slow the rest down."""
    n = 400
    mat = PETSc.Mat().createAIJ((n, n), nnz=3, comm=MPI.COMM_SELF)
    for i in range(n):
        if i % 40 == 0:
            mat.setValue(i, i, 1.0)
            continue
        mat.setValue(i, i, 2.0)
        for j in (i - 1, i + 1):
            if j % 40 and j < n:
                mat.setValue(i, j, -1.0)
    mat.assemble()
    b = mat.createVecLeft()
    b.set(1.0)
    solver, x = solved(mat, b, rtol=1e-10)
    assert 0 < solver.getIterationNumber() <= 30
    left = mat.createVecLeft()
    mat.mult(PETSc.Vec().createWithArray(x, comm=MPI.COMM_SELF), left)
    left.axpy(-1.0, b)
    assert left.norm() <= 1e-9 * b.norm()


@pytest.mark.parametrize("value", [-1.0, 0.0, np.nan])
def test_a_matrix_that_is_not_definite_is_a_failed_set_up(value):
    mat, b = system({"type": "channels", "cells": [8, 8, 8], "seed": 2}, MPI.COMM_SELF)
    mat.setValue(3, 3, value)
    mat.assemble()
    solver, _ = solved(mat, b)
    assert solver.getConvergedReason() == PETSc.KSP.ConvergedReason.DIVERGED_PCSETUP_FAILED
    assert "not positive definite" in solver.getPC().getPythonContext().refused


def test_rigid_motions_are_coarse_functions():
    """B = P B_c, and P has orthonormal columns."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(60, 3))
    near = np.zeros((60, 3, 6))
    near[:, :, :3] = np.eye(3)
    for k, (a, b) in enumerate(((0, 1), (1, 2), (0, 2))):
        near[:, a, 3 + k], near[:, b, 3 + k] = -x[:, b], x[:, a]
    near = near.reshape(180, 6)
    names = np.repeat(np.arange(60) // 12, 3).astype(np.int32)
    weights, coarse = vectors.basis(near, names, 5)
    for name in range(5):
        inside = names == name
        assert np.abs(weights[inside].T @ weights[inside] - np.eye(6)).max() <= 1e-12
        assert np.abs(weights[inside] @ coarse[6 * name : 6 * name + 6] - near[inside]).max() <= 1e-12


def test_a_node_alone_carries_what_it_can():
    """An aggregate of one node has three independent motions, the others are left out."""
    near = np.random.default_rng(1).standard_normal((3, 6))
    weights, coarse = vectors.basis(near, np.zeros(3, np.int32), 1)
    assert np.abs(weights[:, 3:]).max() == 0
    assert np.abs(weights @ coarse - near).max() <= 1e-12


def test_elasticity_takes_the_rigid_motions(make_run):
    counts, answers = {}, {}
    for name in ("aggregation", "gamg"):
        run = make_run(BEAM % name)
        list(run.march())
        counts[name] = run.system.solvers["displacement"].tally.iterations
        answers[name] = run.state.values["displacement"]
    assert counts["aggregation"] <= counts["gamg"] + 2
    assert np.abs(answers["gamg"] - answers["aggregation"]).max() <= 1e-6 * np.abs(answers["gamg"]).max()


def test_ritz_values_of_a_diagonal_matrix():
    values = np.linspace(1.0, 5.0, 200)
    low, high = lanczos.extremes(
        lambda x: values * x, lambda r: r / 2, lambda a, b: float(a @ b), lanczos.noise(0, 200), 25
    )
    assert 0.5 <= low <= 0.505
    assert 2.475 <= high <= 2.5


def test_a_program_of_its_own_ends_well(tmp_path):
    """PETSc ends after Python: the preconditioner has left its solver by then."""
    script = tmp_path / "script.py"
    script.write_text(
        "import petsc4py, sys\n"
        f"petsc4py.init(['x', '-pc_type', 'python', '-pc_python_type', '{NAME}'])\n"
        "from petsc4py import PETSc\n"
        "mat = PETSc.Mat().createAIJ((500, 500), nnz=3, comm=PETSc.COMM_SELF)\n"
        "for i in range(500):\n"
        "    mat.setValues(i, [j for j in (i - 1, i, i + 1) if 0 <= j < 500],\n"
        "                  [2.0 if j == i else -1.0 for j in (i - 1, i, i + 1) if 0 <= j < 500])\n"
        "mat.assemble()\n"
        "ksp = PETSc.KSP().create(PETSc.COMM_SELF)\n"
        "ksp.setOperators(mat); ksp.setType('cg'); ksp.setFromOptions()\n"
        "b, x = mat.createVecs(); b.set(1.0)\n"
        "ksp.solve(b, x)\n"
        "print(ksp.getConvergedReason() > 0, 'plexus.deck' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["True", "False"]), done.stderr
