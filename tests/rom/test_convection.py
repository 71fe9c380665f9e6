"""Models that move with what they carry: what travels far needs few modes, and what does not fit is told."""

from __future__ import annotations

from argparse import Namespace

import numpy as np
import pytest
from mpi4py import MPI
from rom.runs import COMM, continued, ended, plain, started, together

from plexus import registry
from plexus.errors import GuardError, InputError
from plexus.reduction import registration
from plexus.reduction.basis import modes_of
from plexus.reduction.monotone import interpolated
from plexus.reduction.registered import Registered, load
from plexus.runtime import context
from plexus_post.recipes import registration as picture

START = "0.5*exp(-((x - 0.3)/0.05)^2)"


def exact(x, t, d):
    """Return a Gaussian that is carried with speed 1 and spreads on an infinite line."""
    s = 0.05**2 + 4 * d * t
    return 0.5 * 0.05 / np.sqrt(s) * np.exp(-((x - 0.3 - t) ** 2) / s)


def deck(folder, d=0.0, cells=400, end=1.0, **blocks):
    """Return a pulse that travels."""
    data = {
        "plexus": 1,
        "mesh": {"type": "interval", "cells": cells, "size": 2},
        "physics": {"type": "advection_diffusion", "velocity": [1], "diffusivity": d},
        "boundary": [{"on": "left", "concentration": 0}, {"on": "right", "outflow": {}}],
        "initial": {"concentration": START},
        "time": {"stepper": "ssp_rk", "controller": {"type": "courant", "number": 0.9},
                 "end": end, "step": 0.02},
        "quantities": {"amount": {"type": "integral", "of": "concentration"}},
        **blocks,
    }  # fmt: skip
    return plain(folder, data)


def made(folder, given):
    """Return the facts of what `plexus reduce` makes of a deck."""
    return registry.build("reduction", given.reduce).make(given, context.create(COMM, folder))[1]


def marched(folder, given):
    """Return the run of a deck at its end, without outputs."""
    return ended(started(folder, given))


def off(run, d):
    """Return the error at the nodes of a moving line."""
    system = run.system
    z, n = system.projection.lift(run.state.values[system.name][:, 0]), system.line.n
    w = exact(z[:n], run.clock.t, d)
    return np.linalg.norm(z[n:] - w) / np.linalg.norm(w)


def best_of(snapshots, k):
    """Return the error of the best k modes of snapshots (n, k)."""
    values = np.linalg.svd(snapshots, compute_uv=False) ** 2
    return np.sqrt(values[k:].sum() / values.sum())


@pytest.mark.mpi
def test_a_pulse_that_is_carried_is_one_mode_of_positions(tmp_path):
    folder = together(tmp_path)
    facts = made(folder, deck(folder, reduce={"type": "lagrangian"}))
    assert (facts["position_modes"], facts["modes"]) == (1, 0) and facts["off"] < 0.1
    rom = {"type": "lagrangian", "file": str(folder / "rom.h5")}
    run = marched(folder, deck(folder, rom=rom))
    assert run.system.unknowns == 1 and off(run, 0.0) <= 1e-10
    assert run.values()["amount"] == pytest.approx(0.5 * 0.05 * np.sqrt(np.pi), rel=1e-4)
    x, t = (np.arange(400) + 0.5) / 200, np.linspace(0, 1, 101)
    assert best_of(exact(x[:, None], t, 0.0), 1) >= 0.9


@pytest.fixture(scope="module")
def spread(tmp_path_factory):
    """Return folder with a model of the spreading pulse, trained on the first half of its way."""
    folder = together(tmp_path_factory.mktemp("spread"))
    facts = made(folder, deck(folder, 1e-3, end=0.5, reduce={"type": "lagrangian", "modes": 5}))
    return folder, facts


@pytest.mark.mpi
@pytest.mark.pair
def test_what_it_has_seen_half_of_it_continues(spread):
    folder, facts = spread
    rom = {"type": "lagrangian", "file": str(folder / "rom.h5"), "left_out": 0.05}
    run = marched(folder, deck(folder, 1e-3, rom=rom))
    assert facts["position_modes"] == 1 and off(run, 1e-3) <= 2e-3
    assert run.system.counts()["reduced"]["left_out"] <= 5e-3


@pytest.mark.mpi
@pytest.mark.pair
@pytest.mark.parametrize("projection", ["galerkin", "least_squares"])
def test_implicit_steps_give_the_same(spread, projection):
    folder = spread[0]
    time = {"stepper": {"type": "theta", "theta": 0.5}, "step": 0.01, "end": 0.5}
    rom = {"type": "lagrangian", "file": str(folder / "rom.h5"), "projection": projection}
    run = marched(folder, deck(folder, 1e-3, time=time, rom=rom))
    assert off(run, 1e-3) <= 2e-3


@pytest.mark.mpi
@pytest.mark.pair
def test_it_goes_on_as_if_it_had_not_stopped(spread):
    folder = spread[0]
    rom = {"type": "lagrangian", "file": str(folder / "rom.h5")}
    given = deck(folder, 1e-3, end=0.5, rom=rom)
    whole, again = continued(*(started(folder, given) for _ in "ab"), 8)
    assert again.values()["amount"] == pytest.approx(whole.values()["amount"], rel=1e-12)


@pytest.mark.mpi
@pytest.mark.pair
def test_the_rival_on_fixed_cells_knows_its_training_only(tmp_path):
    """With modes enough it gives what the full model gives; it says when its basis does not hold the rest."""
    folder = together(tmp_path)
    given = {"type": "eulerian", "snapshots": 30, "tolerance": 1e-5}
    full = made(folder, deck(folder, 1e-2, 60, end=0.2, reduce=given))
    rom = {"type": "eulerian", "file": str(folder / "rom.h5")}
    run = marched(folder, deck(folder, 1e-2, 60, end=0.2, rom=rom))
    whole = marched(folder, deck(folder, 1e-2, 60, end=0.2))
    u, v = (r.fields.evaluate("concentration")[2] for r in (run, whole))
    distance, size = COMM.allreduce(np.array([((u - v) ** 2).sum(), (v**2).sum()]))
    assert full["modes"] >= 4 and distance <= 1e-5 * size
    beyond = marched(folder, deck(folder, 1e-2, 60, end=0.6, rom=rom))
    with pytest.raises(GuardError, match="the basis does not hold what the law does"):
        beyond.system.counts()


def test_three_modes_along_characteristics_do_what_twenty_on_cells_do_not():
    """Exact snapshots: the pulse spreads, and in its frame does nothing else."""
    t, y = np.linspace(0, 1, 101)[1:], (np.arange(2000) + 0.5) / 1000
    carried = exact(y[:, None] + t, t, 1e-3) - exact(y, 0.0, 1e-3)[:, None]
    fixed = np.column_stack([exact(y, s, 1e-3) for s in t])
    size = np.linalg.norm(fixed)
    for k, bound in ((3, 5e-3), (5, 1e-4)):
        modes = modes_of(MPI.COMM_SELF, carried, np.full(2000, 1e-3), 1.0, 1e-7, k).modes
        rest = carried - modes @ (1e-3 * modes.T @ carried)
        assert np.linalg.norm(rest) <= bound * size
    assert best_of(fixed, 5) >= 0.5


def test_what_does_not_fit_is_refused(spread):
    folder = spread[0]
    rom = {"type": "lagrangian", "file": str(folder / "rom.h5")}

    def told(**blocks):
        with pytest.raises((InputError, ValueError)) as error:
            started(folder, deck(folder, 1e-3, **blocks))
        return str(error.value)

    wide = {"type": "box", "cell": "quadrilateral", "cells": [8, 8], "size": [2, 2]}
    flow = {"type": "advection_diffusion", "velocity": [1, 0]}
    assert "takes one axis, and the mesh has 2" in told(mesh=wide, physics=flow, rom={"type": "lagrangian"})
    pushed = [{"on": "left", "concentration": "t"}, {"on": "right", "outflow": {}}]
    assert "something else comes in through left" in told(boundary=pushed, rom=rom)
    closed = [{"on": "left", "concentration": 0}, {"on": "right", "concentration": 0}]
    assert "waves leave through right" in told(boundary=closed, rom=rom)
    assert "begins elsewhere or otherwise" in told(
        initial={"concentration": "exp(-((x - 0.6)/0.05)^2)"}, rom=rom
    )
    assert "on 400 nodes, not of this deck" in told(cells=200, rom=rom)
    sheared = {"type": "advection_diffusion", "velocity": ["1 + x"]}
    assert "the flux depends on the unknown alone" in told(physics=sheared, rom=rom)
    assert "works on the cells of a grid" in told(rom={"type": "galerkin", "file": str(folder / "rom.h5")})
    assert "this is no eulerian model" in told(rom={"type": "eulerian", "file": str(folder / "rom.h5")})


def test_characteristics_that_cross_end_the_line(tmp_path):
    """The pulse of Burgers' equation steepens into a shock at t = 0.05 sqrt(e/2)/0.5 = 0.117 s."""
    data = {
        "physics": {"type": "burgers"},
        "boundary": [{"on": "left", "velocity": 0.8}, {"on": "right", "outflow": {}}],
        "initial": {"velocity": "0.8 + 0.5*exp(-((x - 0.3)/0.05)^2)"}, "quantities": {},
    }  # fmt: skip
    early = marched(tmp_path, deck(tmp_path, end=0.1, rom={"type": "lagrangian"}, **data))
    z, n = early.state.values["velocity"][:, 0], 400
    x = early.system.line.origin[:n]
    # on characteristics x + t u, exact until they cross
    u = 0.8 + 0.5 * np.exp(-(((x - 0.3) / 0.05) ** 2))
    assert np.abs(z[:n] - x - 0.1 * u).max() <= 1e-12 and np.abs(z[n:] - u).max() <= 1e-12
    with pytest.raises(GuardError, match="characteristics cross at x = "):
        marched(tmp_path, deck(tmp_path, end=0.2, rom={"type": "lagrangian"}, **data))


def moving_front(n=160, k=41):
    """Return a front that travels and steepens, (n, 1, k)."""
    x, t = registration.middles(n)[:, None], np.linspace(0, 1, k)
    return (np.exp(-(((x - 0.25 - 0.45 * t) / (0.06 + 0.02 * t)) ** 2)))[:, None], t


def test_a_grid_that_follows_a_front_holds_it_with_few_modes_from_any_start():
    data, t = moving_front()
    settings = registration.Settings(1, 2, (9, 4), 0.1)
    assert registration.fixed_errors(data, 2)[1] >= 0.5
    for seed in range(3):
        model = Registered.of(data, t, settings, seed)
        assert registration.error(model.decode(model.code, t), data) <= 0.01
        positions = model.motion.at(registration.middles(160), np.linspace(0, 1, 300))
        assert np.diff(positions, axis=0).min() >= 0.1 / 160 * (1 - 1e-9)
        assert np.allclose(model.encode(data, t), model.code, atol=1e-12)


def test_the_gradient_of_registration_is_that_of_differences():
    """Variable projection leaves out of the Jacobian what is orthogonal to the residual only."""
    data, t = moving_front(60, 15)
    problem = registration._Problem(data, t, registration.Settings(2, 2, (6, 4), 0.1), 1e-2)
    p = np.concatenate(
        [[0.1, 0.13, 0.12, 0.07], [0.02, -0.01, 0.03, 0.01], [0.1, 0.4, 0.6, 1], [1, 0, 0.5, -1]]
    )
    residual, slopes = problem.rows(p, True)
    gradient = 2 * slopes @ residual
    for i, step in enumerate(1e-7 * np.eye(len(p))):
        ahead, behind = (float((problem.rows(p + s, False)[0] ** 2).sum()) for s in (step, -step))
        assert (ahead - behind) / 2e-7 == pytest.approx(
            gradient[i], rel=1e-4, abs=1e-5 * np.abs(gradient).max()
        )


@pytest.mark.mpi
@pytest.mark.pair
def test_a_registered_run_is_shown_in_its_place(tmp_path):
    folder = together(tmp_path)
    given = {
        "type": "registration",
        "modes": 3,
        "snapshots": 40,
        "background": 0,
        "starts": 2,
        "controls": [9, 4],
    }
    facts = made(folder, deck(folder, 1e-3, 200, end=0.6, reduce=given))
    assert facts["moving_errors"][2] <= 0.02
    assert facts["error"] <= 0.02 and facts["fixed"] >= 0.3 and facts["least_spacing"] >= 0.1
    rom = {"type": "registration", "file": str(folder / "rom.h5")}
    run = marched(folder, deck(folder, 1e-3, 200, end=0.6, rom=rom))
    assert run.values()["amount"] == pytest.approx(0.5 * 0.05 * np.sqrt(np.pi), rel=0.01)
    for text, blocks in (
        ("another mesh, physics, start or boundary", {"d": 2e-3, "end": 0.6}),
        ("knows 0 s to 0.6 s", {"d": 1e-3, "end": 0.7}),
    ):
        with pytest.raises(InputError, match=text):
            started(folder, deck(folder, cells=200, rom=rom, **blocks))
    model = load(folder / "rom.h5", COMM)[0]
    later = model.decode(model.code_at(0.63)[None], np.array([0.63]))[:, 0, 0]
    x = (np.arange(200) + 0.5) / 100
    assert np.linalg.norm(later - exact(x, 0.63, 1e-3)) <= 0.1 * np.linalg.norm(later)
    if COMM.rank == 0:
        picture.run(Namespace(run=str(folder), out=str(folder / "registration.png")))
        assert (folder / "registration.png").stat().st_size > 10_000
    with pytest.raises(GuardError, match="the model ends before"):
        model.decode(model.code_at(9.0)[None], np.array([9.0]))


def test_interpolation_between_nodes_keeps_their_order():
    x = np.cumsum(np.random.default_rng(1).uniform(0.5, 1.5, 60))
    x = (x - x[0]) / (x[-1] - x[0])
    at = np.linspace(-0.1, 1.1, 500)
    steep = interpolated(x, np.tanh(30 * (x - 0.5)), at, -1.0, 1.0)
    assert (np.diff(steep) >= -1e-15).all() and np.abs(steep).max() <= 1
    smooth = interpolated(x, np.exp(x), at, 0.0, 0.0)
    assert np.abs(smooth - np.exp(at))[(at >= x[0]) & (at <= 1)].max() <= 2e-4
