"""Residuals of states: zero to rounding in Fourier space, of the scheme's order on cells, zero for marched states."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from mpi4py import MPI

from plexus.compose import compose
from plexus.deck.load import load
from plexus.models.volumes.places import Where
from plexus.runtime import context
from plexus.runtime.log import Log

TAU = 2 * np.pi
BOX = {"type": "periodic", "cells": [16, 12], "size": [TAU, TAU]}
FLOW = {"plexus": 1, "mesh": BOX, "physics": {"type": "navier_stokes", "viscosity": 0.05},
        "time": {"stepper": "etdrk4", "end": 1, "step": 0.1}}  # fmt: skip
# u = sin(x - t)/2 + cos(2 x + t)/4 in u_t = -u_xx - u_xxxx - u u_x + s
WAVE, RATE = "(sin(x - t)/2 + cos(2*x + t)/4)", "(-cos(x - t)/2 - sin(2*x + t)/4)"
SLOPE, SECOND, FOURTH = (
    "(cos(x - t)/2 - sin(2*x + t)/2)", "(-sin(x - t)/2 - cos(2*x + t))", "(sin(x - t)/2 + 4*cos(2*x + t))",
)  # fmt: skip
CHAOS = {
    "plexus": 1, "mesh": {"type": "periodic", "cells": [24], "size": [TAU]},
    "physics": {"type": "kuramoto_sivashinsky", "source": f"{RATE} + {SECOND} + {FOURTH} + {WAVE}*{SLOPE}"},
    "time": {"stepper": "etdrk4", "end": 1, "step": 0.1},
}  # fmt: skip
CARRIED = {"type": "advection_diffusion", "velocity": [1.0], "diffusivity": 0.1,
           "reconstruction": {"type": "muscl", "limiter": "mc"}}  # fmt: skip
SORBED = {"type": "diffusion_sorption", "diffusivity": 0.1}


def made(deck: dict[str, Any], folder: Path, comm: Any = MPI.COMM_SELF) -> Any:
    """Return the run of a deck without outputs."""
    if comm.rank == 0:
        (folder / "deck.yaml").write_text(yaml.safe_dump(deck))
    comm.barrier()
    ctx = context.create(comm, folder, seed=0, device="cpu")
    ctx.log = Log(comm, None, io.StringIO())
    run = compose(load(folder / "deck.yaml"), ctx)
    run.observers = []
    return run


def on_a_line(physics: dict[str, Any], cells: int, **others: Any) -> dict[str, Any]:
    return {
        "plexus": 1, "mesh": {"type": "periodic", "cells": [cells], "size": [1]}, "physics": physics,
        "time": {"stepper": "theta", "end": 0.1, "step": 0.01},
        "solver": {"default": {"ksp": "preonly", "preconditioner": "lu", "snes_rtol": 1e-14}},
    } | others  # fmt: skip


def vortices(run: Any, t: float) -> torch.Tensor:
    """Return Taylor's vortices on a wind, (2, *shape)."""
    x, y = run.system.model.space.points()
    x = x - 0.5 * t
    decay = np.exp(-0.1 * t)
    return torch.stack([0.5 - decay * x.cos() * y.sin(), decay * x.sin() * y.cos() + 0 * x])


def test_taylors_vortices_leave_nothing(tmp_path):
    run, h = made(FLOW, tmp_path), 1e-4
    found = run.system.residuals()
    x, y = run.system.model.space.points()
    u = vortices(run, 0.3)
    wind = 0.5 * torch.stack([(x - 0.15).sin() * y.sin(), (x - 0.15).cos() * y.cos()]) * np.exp(-0.03)
    calm = torch.stack([torch.full_like(u[0], 0.5), torch.zeros_like(u[0])])
    rate = -0.1 * (u - calm) - wind
    assert found.units == {"velocity": "m/s^2"}
    left = found.instant({"velocity": u[None]}, {"velocity": rate[None]}, 0.3)["velocity"]
    assert left.shape == (1, 2, 16, 12) and float(left.abs().max()) <= 1e-10
    # steps leave over what the midpoint rule does: dt² u‴/24 and its like
    left = found.step({"velocity": u}, {"velocity": vortices(run, 0.3 + h)}, 0.3, h)["velocity"]
    assert float(left.abs().max()) <= 1e-8


def test_a_manufactured_wave_leaves_nothing(tmp_path):
    run = made(CHAOS, tmp_path)
    found = run.system.residuals()
    x = run.system.model.space.points()[0]
    wave = lambda t: ((x - t).sin() / 2 + (2 * x + t).cos() / 4)[None]  # noqa: E731
    rate = (-(x - 0.2).cos() / 2 - (2 * x + 0.2).sin() / 4)[None]
    assert not found.autonomous
    left = found.instant({"u": wave(0.2)}, {"u": rate}, 0.2)["u"]
    assert float(left.abs().max()) <= 1e-10
    sizes = []
    for n in (10, 20):
        times = np.linspace(0, 0.5, n + 1).tolist()
        rows = found.window({"u": torch.stack([wave(t) for t in times])}, times)["u"]
        assert rows.shape == (n, 1, 24)
        sizes.append(float(rows.square().mean().sqrt()))
    assert np.log2(sizes[0] / sizes[1]) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("physics", [CARRIED, SORBED], ids=lambda p: p["type"])
def test_on_cells_the_order_is_two_around_the_edges_too(physics, tmp_path):
    inside, edges = [], []
    for n in (64, 128, 256):
        run = made(on_a_line(physics, n), tmp_path)
        found, scheme = run.system.residuals(), run.system.scheme
        exact = lambda p: 0.5 + 0.3 * (TAU * (p.x[..., 0] - p.t)).sin()  # noqa: E731
        u, up, um = (scheme.places.mean(exact, Where((0,)), [0], t)[None, None] for t in (0.1, 0.1001, 0.0999))
        rate = (up - um) / 2e-4
        left = found.instant({"concentration": u}, {"concentration": rate}, 0.1)["concentration"]
        left = left - _source(physics, scheme)
        # limiters lower the order at extrema, which are at 0.35 and 0.85
        inside.append(float(left[..., n // 2 - n // 16 : n // 2 + n // 8].abs().max()))
        edges.append(float(torch.cat([left[..., :1], left[..., -1:]]).abs().max()))
    for sizes in (inside, edges):
        np.testing.assert_allclose(np.log2(np.divide(sizes[:-1], sizes[1:])), 2.0, atol=0.1)


def _source(physics: dict[str, Any], scheme: Any) -> torch.Tensor:
    """Return what the wave of the test leaves over in the differential equation, means over cells."""
    law = scheme.holds

    def left(p: Any) -> torch.Tensor:
        phase = TAU * (p.x[..., 0] - 0.1)
        u, slope, bend = 0.5 + 0.3 * phase.sin(), 0.3 * TAU * phase.cos(), -0.3 * TAU**2 * phase.sin()
        if law is None:
            return -0.1 * bend
        return -slope * law.isotherm.capacity(u) - 0.1 * bend

    return scheme.places.mean(left, Where((0,)), [0], 0.1)[None, None]


@pytest.mark.parametrize("theta", [0.5, 1.0])
@pytest.mark.parametrize("physics", [CARRIED, SORBED], ids=lambda p: p["type"])
def test_marched_states_leave_nothing(physics, theta, tmp_path):
    time = {"stepper": {"type": "theta", "theta": theta}, "end": 0.05, "step": 0.01}
    start = {"concentration": "0.5 + 0.3*sin(2*pi*x)"}
    run = made(on_a_line(physics, 16, time=time, initial=start), tmp_path)
    states, times = [run.system.seen(run.state.values)["concentration"]], [0.0]
    for _ in run.march(0.05):
        states.append(run.system.seen(run.state.values)["concentration"])
        times.append(run.state.t)
    found = run.system.residuals()
    u = torch.stack(states, 1).requires_grad_()
    rows = found.window({"concentration": u}, times, theta)["concentration"]
    assert found.autonomous and rows.shape == (1, 5, 1, 16) and float(rows.detach().abs().max()) < 1e-9
    # all steps as one batch are the steps one by one, and gradients are those of differences
    alone = found.step({"concentration": u[:, 2]}, {"concentration": u[:, 3]}, times[2], 0.01, theta)
    assert torch.allclose(alone["concentration"], rows[:, 2], atol=1e-12)
    v = torch.randn(u.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def loss(w: torch.Tensor) -> torch.Tensor:
        return found.window({"concentration": w}, times, theta)["concentration"].square().sum()

    w = (u + 0.01 * v.roll(1, 1)).detach().requires_grad_()
    (g,) = torch.autograd.grad(loss(w), w)
    with torch.no_grad():
        difference = float(loss(w + 1e-6 * v) - loss(w - 1e-6 * v)) / 2e-6
    assert float((g * v).sum()) == pytest.approx(difference, rel=1e-5)


@pytest.mark.mpi
@pytest.mark.parametrize("physics", [CARRIED, SORBED], ids=lambda p: p["type"])
def test_ranks_agree_on_cells(physics, tmp_path_factory):
    folder = Path(MPI.COMM_WORLD.bcast(str(tmp_path_factory.mktemp("residuals"))))
    rows = []
    for comm in (MPI.COMM_SELF, MPI.COMM_WORLD):
        own = folder / f"{MPI.COMM_WORLD.rank if comm is MPI.COMM_SELF else 'all'}"
        own.mkdir(exist_ok=True)
        run = made(on_a_line(physics, 13), own, comm)
        a, b = run.system.scheme.slab.rows
        u = torch.rand((3, 4, 1, 13), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        u = (0.1 + u)[..., a:b].requires_grad_()
        r = run.system.residuals().window({"concentration": u}, [0, 0.1, 0.3, 0.4])["concentration"]
        (g,) = torch.autograd.grad(r.square().sum(), u)
        rows.append((r.detach(), g, a, b))
    (whole, slope, _, _), (part, own_slope, a, b) = rows
    assert torch.allclose(part, whole[..., a:b], rtol=1e-13, atol=1e-13)
    assert torch.allclose(own_slope, slope[..., a:b], rtol=1e-12, atol=1e-12)


@pytest.mark.mpi
def test_ranks_agree_on_modes(tmp_path_factory):
    folder = Path(MPI.COMM_WORLD.bcast(str(tmp_path_factory.mktemp("residuals"))))
    found = {}
    for comm in (MPI.COMM_SELF, MPI.COMM_WORLD):
        own = folder / f"{MPI.COMM_WORLD.rank if comm is MPI.COMM_SELF else 'all'}"
        own.mkdir(exist_ok=True)
        run = made(FLOW, own, comm)
        space = run.system.model.space
        whole = torch.rand((2, 2, 16, 12), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        u = space.own(whole)
        r = run.system.residuals().step({"velocity": u[0]}, {"velocity": u[1]}, 0.0, 0.1)["velocity"]
        found[comm.size] = space.gather(r)
    values = list(found.values())
    assert torch.allclose(values[0], values[-1], rtol=1e-12, atol=1e-12)
