"""Gradients through solves: Taylor remainders, silent zeros, the same by NumPy on the assembled matrix."""

import re

import numpy as np
import pytest
import torch
from mpi4py import MPI
from traces import orders, remainders, steady

from plexus.errors import SolveError
from plexus.solvers.adjoint import linearised
from plexus.solvers.packages import available
from plexus.spaces.shared import Total

STEPS = [10.0**-k for k in np.arange(1.5, 4.6, 0.5)]

LINEAR = """
plexus: 1
controls: {a: {type: scalar, start: 1.3}}
mesh: {type: box, cell: triangle, cells: [8, 8]}
physics: {type: diffusion, coefficient: "a*(1 + x)", source: "10*a^2*x"}
boundary: [{on: left, u: "a*y"}, {on: right, u: 0}, {on: top, flux: "a*x"}]
solver: {u: {rtol: 1.e-13, ksp: cg, preconditioner: jacobi}}
"""
NONLINEAR = """
plexus: 1
controls: {a: {type: scalar, start: 1.3}}
mesh: {type: box, cell: quadrilateral, cells: [8, 8]}
physics: {type: diffusion, coefficient: "a*(1 + u^2)", source: "10*a^2*x", reaction: "u"}
boundary: [{on: left, u: "a*y"}, {on: right, robin: {coefficient: a, value: "u^2"}}]
solver: {u: {snes_rtol: 1.e-13, ksp: gmres, preconditioner: bjacobi}}
"""
WIND = """
plexus: 1
controls: {a: {type: scalar, start: 1.3}}
mesh: {type: box, cell: triangle, cells: [8, 8]}
physics: {type: diffusion, coefficient: [[a, "9*y"], ["-9*y", 1]], source: "a^2"}
boundary: [{on: left, u: "a*y"}, {on: bottom, u: 0}]
solver: {u: {rtol: 1.e-13, ksp: gmres}}
"""
"""The antisymmetric part of the coefficient carries u along: the matrix is linear without symmetry."""
CELLS = """
plexus: 1
controls: {k: {type: cells, start: 1}}
mesh: {type: box, cell: quadrilateral, cells: [5, 5]}
physics: {type: diffusion, coefficient: [[k, "k*y"], ["-k*y", k]], source: x}
boundary: [{on: left, u: y}, {on: bottom, u: 0}]
solver: {u: {preconditioner: lu}}
"""
NODAL = """
plexus: 1
controls: {m: {type: nodal, start: 1}}
mesh: {type: box, cell: triangle, cells: [6, 6]}
physics: {type: diffusion, coefficient: "1 + m^2", source: "m*x", degree: 2}
boundary: [{on: left, u: "m*y"}, {on: right, flux: "m^2"}]
solver: {u: {preconditioner: mumps}}
"""


def cubes(run):
    """Return the function that sums the cubes of the solution over all nodes, of the one number a."""
    space = run.system.spaces["u"]
    return lambda a: Total.apply((steady(run, {"a": a})[: space.n_owned] ** 3).sum(), space.comm)


def number(value=1.3):
    return torch.tensor([value], dtype=torch.float64)


def gradient(run):
    """Return the derivative of `cubes` and the solvers of transposed systems that it took."""
    a = number().requires_grad_(True)
    value = cubes(run)(a)
    (slope,) = torch.autograd.grad(value, a, torch.full_like(value, 1 / MPI.COMM_WORLD.size))
    return MPI.COMM_WORLD.allreduce(float(slope))


@pytest.mark.mpi
@pytest.mark.parametrize("deck", [LINEAR, NONLINEAR, WIND], ids=["ksp", "snes", "wind"])
def test_remainders_are_of_second_order(make_run, deck):
    found = remainders(cubes(make_run(deck)), number(), number(0.7), STEPS)
    assert orders(found, STEPS) == pytest.approx(2.0, abs=0.1)


ANY_RANKS = ("mumps", "gamg", "hypre", "asm")


@pytest.mark.parametrize(
    ("deck", "name"),
    [
        *(pytest.param(WIND, name, marks=pytest.mark.mpi, id=name) for name in ANY_RANKS),
        *(pytest.param(WIND, name, id=name) for name in ("ilu", "sor")),
        *(pytest.param(NONLINEAR, name, id=f"snes {name}") for name in ("gamg", "hypre", "ilu")),
    ],
)
def test_every_preconditioner_gives_the_same_gradient_of_a_matrix_without_symmetry(make_run, deck, name):
    if name in ("hypre", "mumps") and name not in available():
        pytest.skip(f"this PETSc has no {name}")
    expected = gradient(make_run(deck, "solver.u.preconditioner=jacobi"))
    assert gradient(make_run(deck, f"solver.u.preconditioner={name}")) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", [pytest.param("hypre", marks=pytest.mark.mpi), "sor"])
def test_a_transposed_solve_is_believed_by_its_residual_only(make_run, monkeypatch, name):
    """BoomerAMG applied transposed is zero, which Krylov methods take for convergence; SOR refuses."""
    if name == "hypre" and name not in available():
        pytest.skip("this PETSc has no hypre")
    made = []
    plain = linearised.Linearised.__init__
    monkeypatch.setattr(
        linearised.Linearised, "__init__", lambda self, s: (plain(self, s), made.append(self))[0]
    )
    run = make_run(WIND, f"solver.u.preconditioner={name}")
    assert abs(gradient(run)) > 1e-3
    assert made[0].explicit == made[0].solves == 1


def test_a_transposed_solve_that_fails_is_an_error(make_run):
    run = make_run(WIND, "solver.u.preconditioner=jacobi")
    a = number().requires_grad_(True)
    value = cubes(run)(a)
    solver = run.system.solvers["u"]
    solver.blocks[0] = solver.blocks[0].model_copy(update={"max_iterations": 1})
    solver.attempts[0].snes.getKSP().setTolerances(max_it=1)
    with pytest.raises(SolveError, match=r"gradient failed: u: the transposed system is solved to .*lu"):
        value.backward()


def test_the_gradient_is_that_of_the_assembled_system(make_run):
    """dJ/dk = -λᵀ (∂A/∂k) u by NumPy's factorisation of the matrix, for a coefficient in every cell.

    A is linear in k, so that ∂A/∂k of one cell is the matrix of that cell alone.
    """
    run = make_run(CELLS)
    form, space = run.system.forms["u"], run.system.spaces["u"]
    k = torch.from_numpy(1 + np.random.default_rng(0).random((space.mesh.n_cells, 1))).requires_grad_(True)
    u = steady(run, {"k": k})
    (found,) = torch.autograd.grad((u**3).sum(), k)

    run.system.controls.put({"k": k.detach().numpy()})
    a = form.jacobian(0, space.zeros(), None, 0, {}).convert("dense").getDenseArray().copy()
    x, free = u.detach().numpy().ravel(), ~form.fixed.ravel()
    lam = np.linalg.solve(a.T, 3 * x**2 * free)
    for cell in range(0, space.mesh.n_cells, 7):
        run.system.controls.put({"k": np.eye(space.mesh.n_cells)[:, [cell]]})
        rows = form.residual(0, u.detach().numpy(), None, {}) - form.residual(0, space.zeros(), None, {})
        assert found[cell].item() == pytest.approx(-lam @ rows.ravel(), rel=1e-9)


@pytest.mark.mpi
def test_a_nodal_control_belongs_to_the_owners_of_its_nodes(make_run):
    """In coefficient, source, flux and prescribed value, along a direction at all nodes."""
    run = make_run(NODAL)
    space = run.system.spaces["u"]
    x = space.points[: space.n_owned]

    def of(m):
        u = steady(run, {"m": m})
        return Total.apply((u[: space.n_owned] ** 3).sum(), space.comm)

    m, d = (torch.from_numpy(a)[:, None] for a in (1 + x[:, 0] * x[:, 1], np.sin(3 * x[:, 0]) + x[:, 1]))
    assert orders(remainders(of, m, d, STEPS), STEPS) == pytest.approx(2.0, abs=0.1)


FREE = """
plexus: 1
controls: {a: {type: scalar, start: 1.3}}
mesh: {type: box, cell: triangle, cells: [8, 8]}
physics: {type: diffusion, coefficient: "a*(1 + y)", source: "a^2*(x - 0.5)"}
initial: {u: 3}
solver: {u: {rtol: 1.e-13, preconditioner: gamg}}
"""


def test_a_level_that_nothing_holds_stays_that_of_the_guess(make_run):
    found = remainders(cubes(make_run(FREE)), number(), number(0.7), STEPS)
    assert orders(found, STEPS) == pytest.approx(2.0, abs=0.1)


LAW = """
plexus: 1
controls: {k: {type: network, inputs: {u: [0, 2]}, start: 1.5, scale: 1, hidden: [1]}}
mesh: {type: box, cell: triangle, cells: [8, 8]}
physics: {type: diffusion, coefficient: "2*k", source: "10*x"}
boundary: [{on: left, u: y}, {on: right, robin: {coefficient: k, value: 1}}]
solver: {u: {snes_rtol: 1.e-12, preconditioner: lu}}
"""
WEIGHTS = [0.8, 0.2, 0.9, 0.1]
WRITTEN = "(1.5 + 0.9*tanh(0.8*(u - 1) + 0.2) + 0.1)"
"""The network with these weights; its input is that of the range [0, 2] brought to [-1, 1]."""


def test_what_follows_from_the_unknown_is_in_tangent_and_gradient(make_run):
    """Newton's method converges quadratically, to the solution of the same network as an expression."""
    run = make_run(LAW)
    run.system.controls.put({"k": np.array(WEIGHTS)})
    run.execute()
    norms = run.system.solvers["u"].records[0].residuals
    assert norms[-2] < 1e-4 * norms[-3]
    written = make_run(re.sub(r"\bk\b", WRITTEN, re.sub("controls.*\n", "", LAW)))
    written.execute()
    assert run.state.values["u"] == pytest.approx(written.state.values["u"], abs=1e-11)
    space = run.system.spaces["u"]

    def of(k):
        return (steady(run, {"k": k})[: space.n_owned] ** 3).sum()

    theta, along = (torch.tensor(v, dtype=torch.float64) for v in (WEIGHTS, [0.3, 0.8, -0.4, 0.1]))
    assert orders(remainders(of, theta, along, STEPS), STEPS) == pytest.approx(2.0, abs=0.1)


def test_a_solve_in_between_changes_no_gradient(make_run):
    """The matrix belongs to all graphs and runs of a solver: the older graph is that of another one."""
    run = make_run(LINEAR)
    expected = gradient(run)
    a = number().requires_grad_(True)
    value = cubes(run)(a)
    cubes(run)(number(4.0))
    value.backward(torch.full_like(value, 1 / MPI.COMM_WORLD.size))
    assert MPI.COMM_WORLD.allreduce(float(a.grad)) == pytest.approx(expected, rel=1e-10)
