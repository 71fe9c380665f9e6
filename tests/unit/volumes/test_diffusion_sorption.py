"""Sorption on cells: orders, balance, an exact solution, empty bodies, and the value on the face."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from mpi4py import MPI

from plexus import driver
from plexus.compose import compose
from plexus.deck.load import load
from plexus.errors import DeckError
from plexus.formulation.isotherms import Freundlich
from plexus.models.volumes.form import CellForm
from plexus.runtime import context
from plexus.runtime.log import Log

DECK = Path(__file__).parents[3] / "input_decks" / "volumes" / "diffusion_sorption.yaml"
QUICK = ("time.controller.growth=1.2", "time.step=1e-2", "time.end=100")
TIMES = (10.0, 40.0, 100.0)


def made(*overrides: str, comm: Any = None) -> Any:
    """Return the run of the shipped deck with overrides, without outputs."""
    comm = comm or MPI.COMM_SELF
    ctx = context.create(comm, Path(), seed=0, device="cpu")
    ctx.log = Log(comm, None, io.StringIO())
    run = compose(load(DECK, [*QUICK, *overrides]), ctx)
    run.observers = []
    return run


def marched(*overrides: str, times: tuple[float, ...] = TIMES) -> np.ndarray:
    """Return the concentrations (times, cells)."""
    run, rows = made(*overrides), []
    for t in times:
        for _ in run.march(t):
            pass
        rows.append(run.system.seen(run.state.values)["concentration"][0, 0].numpy().copy())
    return np.stack(rows)


def off(u: np.ndarray, fine: np.ndarray) -> float:
    """Return the relative difference from means over the cells of a finer solution."""
    exact = fine.reshape(*u.shape, -1).mean(-1)
    return float(np.sqrt(((u - exact) ** 2).sum() / (exact**2).sum()))


@pytest.fixture(scope="module")
def fine() -> np.ndarray:
    return marched("mesh.cells=1024")


def test_the_order_is_two(fine):
    errors = [off(marched(f"mesh.cells={n}"), fine) for n in (64, 128, 256)]
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2.0, atol=0.1)


def test_a_value_at_the_centre_of_a_ghost_cell_is_of_order_one(fine):
    # D (1 - u_0)/h through the face, as if the value stood half a cell outside
    errors = []
    for n in (64, 128):
        a = 2 * 5e-4 * n
        robin = f"boundary.0={{on: left, robin: {{coefficient: {a}, value: {a}}}}}"
        errors.append(off(marched(f"mesh.cells={n}", robin), fine))
    assert errors[0] > 10 * off(marched("mesh.cells=64"), fine)
    assert np.log2(errors[0] / errors[1]) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("stepper", ["{type: theta, theta: 1.0}", "bdf2"])
def test_what_is_held_changes_by_what_passes_the_sides(stepper):
    run = made("mesh.cells=50", f"time.stepper={stepper}", "solver.concentration.snes_rtol=1e-13")
    held, times = [run.system.scheme.stored(torch.full((1, 1, 50), 0.1, dtype=torch.float64))], [0.0]
    for _ in run.march(100.0):
        held.append(run.state.values["concentration"].clone())
        times.append(run.state.t)
        dt = times[-1] - times[-2]
        w = dt / (times[-2] - times[-3]) if stepper == "bdf2" and len(times) > 2 else 0.0
        total = [float(a.sum()) / 50 for a in held[-3:]]
        before = total[0] if w else 0.0
        change = (1 + 2 * w) / (1 + w) * total[-1] - (1 + w) * total[-2] + w**2 / (1 + w) * before
        out = sum(float(run.system.scheme.outflow(held[-1], times[-1], 0, end)) for end in (0, 1))
        assert change == pytest.approx(-dt * out, abs=1e-12)
    assert len(times) > 40


def test_a_linear_isotherm_gives_the_error_function():
    u = marched("mesh.cells=400", "physics.exponent=1", "parameters.start=0", "time.controller.growth=1.05")[-1]
    x = (torch.arange(400, dtype=torch.float64) + 0.5) / 400
    factor = 1 + 0.71 / 0.29 * 2880 * 3.5e-4
    exact = torch.special.erfc(x / (2 * (5e-4 * 100 / factor) ** 0.5)).numpy()
    assert np.abs(u - exact).max() < 3e-4


def test_a_body_may_be_empty():
    empty, nearly = (marched("mesh.cells=64", f"parameters.start={s}")[-1] for s in (0, 1e-9))
    assert np.isfinite(empty).all() and (np.diff(empty) <= 0).all()
    np.testing.assert_allclose(empty, nearly, atol=1e-6)


def test_explicit_steps_lead_to_the_same():
    explicit = ("time.stepper=ssp_rk", "time.controller={type: courant, number: 0.5}", "time.step=1")
    one, other = marched("mesh.cells=40"), marched("mesh.cells=40", *explicit)
    np.testing.assert_allclose(one, other, atol=2e-3)


@pytest.mark.parametrize("exponent", [0.2, 0.5, 0.874, 1.0])
def test_the_way_back(exponent):
    law = Freundlich(2.4, exponent)
    u = torch.cat([torch.logspace(-12, 2, 200, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)])
    u = torch.cat([-u, u])
    assert torch.allclose(law.released(law.stored(u)), u, rtol=1e-14, atol=0)
    a = torch.tensor([-0.3, 0.01, 0.4, 2.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(law.released, a) and torch.autograd.gradgradcheck(law.released, a)
    assert torch.allclose(torch.func.grad(lambda x: law.released(x).sum())(a) * law.capacity(law.released(a)),
                          torch.ones_like(a))  # fmt: skip


@pytest.mark.parametrize("source", ["null", "-concentration^2", "sin(t)"])
def test_the_tangent_is_the_derivative(source):
    run = made("mesh.cells=12", f"physics.source={source}")
    form: CellForm = run.system.solvers["concentration"].form
    assert (form.affine is not None) == (source != "-concentration^2") - (source == "sin(t)")
    rng = np.random.default_rng(0)
    a, v, h = 0.5 + rng.random((12, 1)), rng.standard_normal((12, 1)), 1e-6
    mat = form.jacobian(0.3, a, np.zeros_like(a), 7.0, {})
    x, y = mat.createVecs()
    x.setArray(v.ravel())
    mat.mult(x, y)
    plus, minus = (form.residual(0.3, a + s * h * v, s * h * 7.0 * v, {}) for s in (1, -1))
    np.testing.assert_allclose(y.getArray().reshape(a.shape), (plus - minus) / (2 * h), rtol=1e-6, atol=1e-6)
    # the matrix that stands for the fluxes gives their numbers
    plain = CellForm(run.system.scheme, "concentration", 1)
    np.testing.assert_allclose(form.residual(0.3, a, None, {}), plain.residual(0.3, a, None, {}), atol=1e-13)


def test_what_grows_is_refused_where_it_stands():
    with pytest.raises(DeckError, match=r"boundary\[1\]\.robin: u - D u_x = 0 lets the solution grow like "
                       r"exp\(t/\(D R\)\); for an outflow write u \+ D u_x = 0"):  # fmt: skip
        load(DECK, ["boundary.1.robin.coefficient=-1"])
    with pytest.raises(DeckError, match=r"u - 0\.5 D u_n = 0 lets the solution grow like exp\(4 t/\(D R\)\)"):
        load(DECK, ["boundary.1={on: [left, right], robin: {coefficient: -2 m/s}}", "boundary.0.on=right"])


def test_outputs_know_both(tmp_path):
    code = driver.run(DECK, folder=tmp_path / "run", overrides=["mesh.cells=16", *QUICK, "output.0.fields=[held, concentration]"])
    assert code == 0
