"""Ensembles in Fourier space: a member is the run that it would be alone, and is what its model admits."""

from pathlib import Path

import numpy as np
import pytest
import torch

from plexus import registry
from plexus.models.suspension import spins
from plexus.protocols import Split
from plexus.spaces.fourier import Fourier
from plexus.spaces.noise import Noise

STEPPERS = [n for n in registry.names("stepper") if registry.component("stepper", n).cls.needs is Split]
HEAD = "plexus: 1\nensemble: {members: 3, perturbation: SIZE, seed: 5, first: 2}\n"
TIME = "time: {stepper: STEPPER, end: END s, step: STEP s}\n"
LINE = (
    "mesh: {type: periodic, cells: [48], size: [22]}\nphysics: {type: kuramoto_sivashinsky, start: random}\n"
)
PLANE = (
    "mesh: {type: periodic, cells: [16, 12], size: [6.28, 5]}\n"
    "physics: {type: navier_stokes, viscosity: 0.05, start: random}\n"
)
SPACE = PLANE.replace("[16, 12], size: [6.28, 5]", "[8, 10, 12], size: [6.28, 5, 4]")
FLUID = (
    "mesh: {type: periodic, cells: [16, 12], size: [10, 8]}\nphysics: {type: active_fluid, alpha: -3, MORE}\n"
)
MODELS = {
    "line": (LINE, 0.1, 0.1, 4),
    "plane": (PLANE, 0.1, 0.02, 0.4),
    "space": (SPACE, 0.1, 0.02, 0.2),
    "moments": (FLUID.replace("MORE", "order: 16"), 0.05, 0.01, 0.1),
    "bingham": (FLUID.replace("MORE", "order: 1") + "closure: bingham\n", 0.05, 0.02, 0.2),
    "third": (FLUID.replace("MORE", "order: 2") + "closure: autoregressive\n", 0.05, 0.02, 0.2),
    "sweeps": (
        FLUID.replace("MORE", "order: 1, passive_stress: fixed_point, beta: 3") + "closure: quadratic\n",
        0.05,
        0.02,
        0.1,
    ),
    "krylov": (
        FLUID.replace("MORE", "order: 2, passive_stress: krylov, beta: 3") + "closure: autoregressive\n",
        0.05,
        0.02,
        0.1,
    ),
    "angles": (
        FLUID.replace("active_fluid", "active_fluid_kinetic").replace("MORE", "angles: 24"),
        0.05,
        0.01,
        0.05,
    ),
}
LEARNED = (
    FLUID.replace("MORE", "order: 2, zeta: 1")
    + "closure:\n  type: spin_network\n  checkpoint: BUNDLES/active_fluid_f3_range.safetensors\n"
    + "  sha256: 58ef4c88d592ac037876546fa4d8b6ffa63eb2f9a7aad342a81b93d0fd7077bb\n"
).replace("BUNDLES", str(Path(__file__).parents[3] / "input_decks" / "closures" / "bundles"))
MODELS["learned"] = (LEARNED, 0.3, 0.01, 0.2)


def text(name: str, stepper: str = "sbdf2") -> str:
    """Return the deck of a model."""
    body, size, step, end = MODELS[name]
    time = TIME.replace("STEPPER", stepper).replace("STEP", str(step)).replace("END", str(end))
    return HEAD.replace("SIZE", str(size)) + body + time


def marched(make_run, deck, *overrides):
    """Return the run of a deck at its end."""
    run = make_run(deck, *overrides)
    run.execute()
    return run


def state(run) -> torch.Tensor:
    """Return the modes of a run."""
    return run.state.values[run.system.unknown]


def alone(make_run, deck, k):
    """Return the run of member ``k`` of the three as an ensemble of one."""
    return marched(make_run, deck, "ensemble.members=1", f"ensemble.first={2 + k}")


@pytest.mark.parametrize(
    ("name", "stepper"),
    [(n, "sbdf2") for n in MODELS] + [(n, s) for n in ("line", "third") for s in STEPPERS if s != "sbdf2"],
)
def test_a_batch_is_its_members_as_runs_of_their_own(make_run, name, stepper):
    deck = text(name, stepper)
    many = state(marched(make_run, deck))
    assert len(many) == 3 and (many[0] - many[1]).abs().max() > 1e-3
    for k in range(3):
        one = state(alone(make_run, deck, k))[0]
        assert (many[k] - one).abs().max() <= 1e-12 * one.abs().max(), k


@pytest.mark.parametrize("name", MODELS)
def test_a_member_is_a_run_without_an_ensemble(make_run, name):
    """From the same start: the axis of the members changes no number."""
    deck = text(name)
    many = make_run(deck)
    start = state(many)[1].clone()
    many.execute()
    run = make_run("\n".join(line for line in deck.splitlines() if not line.startswith("ensemble")))
    run.state.values[run.system.unknown] = start
    run.execute()
    assert state(run).shape == start.shape
    assert (state(many)[1] - state(run)).abs().max() <= 1e-12 * state(run).abs().max()


@pytest.mark.parametrize("name", MODELS)
def test_mean_and_spread_are_those_of_the_runs(make_run, name):
    deck = text(name)
    run = marched(make_run, deck)
    singles = [alone(make_run, deck, k) for k in range(3)]
    model = singles[0].system.model
    for field in run.system.shown | run.system.derived:
        parts = torch.stack([s.system.model.derived(field, state(s), s.state.t)[0] for s in singles]).numpy()
        assert parts.ndim == 2 + model.space.dim, field
        for end, found in (("mean", parts.mean(0)), ("spread", parts.std(0, ddof=1))):
            got = run.fields.tensor(f"{field}_{end}").numpy()
            scale = np.abs(parts).max() + 1e-300
            assert np.abs(got - found).max() <= 1e-11 * scale, (field, end)


@pytest.mark.parametrize("name", ["velocity", "velocity_y", "nematic_xy"])
def test_spectra_of_mean_and_spread_add_up_to_those_of_the_members(make_run, name):
    run = marched(make_run, text("third"))
    field, _, letters = name.partition("_")
    dotted = [f"{field}_{end}" + f"_{letters}" * bool(letters) for end in ("mean", "spread")]
    mean, spread = (run.fields.spectrum(n) for n in dotted)
    singles = [alone(make_run, text("third"), k) for k in range(3)]
    powers = [single.fields.spectrum(dotted[0]) for single in singles]
    np.testing.assert_allclose(mean + 2 / 3 * spread, np.mean(powers, axis=0), rtol=1e-11, atol=1e-18)
    if name == "nematic_xy":
        of = run.fields.tensor("nematic_spread")[1]
        # modes beyond the complete shells hold little
        assert spread.sum() == pytest.approx(float((of**2).mean()), rel=1e-3)


def test_small_differences_grow_as_the_waves_do(make_run):
    """About u = 0 a wave of the Kuramoto-Sivashinsky equation is e^((k² - k⁴) t) times what it was."""
    deck = text("line", "etdrk4").replace("start: random", "start: wave") + 'initial: {u: "0*x"}\n'
    run = make_run(deck, "ensemble.perturbation=1e-9", "ensemble.members=20")
    run.fields.look(run.state)
    before = run.fields.spectrum("u_spread")
    run.execute()
    run.fields.look(run.state)
    k2 = (2 * np.pi / 22 * np.arange(len(before))) ** 2
    factor = np.exp(2 * (k2 - k2**2) * run.state.t)
    kept = slice(1, 16)
    assert before[0] < 1e-30 and (before[kept] > 1e-21).all() and (before[16:] < 1e-30).all()
    np.testing.assert_allclose(run.fields.spectrum("u_spread"), factor * before, rtol=1e-6, atol=1e-28)


def test_the_guard_counts_the_cells_of_all_members(make_run):
    """One evaluation of the network answers for all; what it meets outside its range is the sum over them."""
    deck, seen = text("learned").replace("perturbation: 0.3", "perturbation: 1"), []
    for run in (marched(make_run, deck), *(alone(make_run, deck, k) for k in range(3))):
        count = run.system.guards()["closure"]
        assert count["steps"] == 20 and count["fallback"] == 0
        seen.append(count["mean_outside"])
    assert seen[0] > 0.001
    assert seen[0] == pytest.approx(np.mean(seen[1:]), rel=1e-12)


@pytest.mark.parametrize("name", ["plane", "space"])
def test_members_have_no_divergence_and_no_mean_of_their_own(make_run, name):
    run = make_run(text(name))
    space = run.system.model.space
    for _ in (0, 1):
        hat = state(run)
        along = sum(k * hat[:, i] for i, k in enumerate(space.k))
        assert along.abs().max() < 1e-13
        mean = space.mean(space.inverse(hat))
        assert (mean - mean[0]).abs().max() < 1e-14
        run.execute()


@pytest.mark.parametrize("size", [0.02, 1.0])
@pytest.mark.parametrize("start", ["waves", "nematic"])
@pytest.mark.parametrize("order", [1, 2, 5])
def test_members_are_distributions(make_run, size, start, order):
    """However large the noise is; mean concentration and reality of c are kept."""
    deck = text("moments").replace("order: 16", f"order: {order}, start: {start}")
    run = make_run(deck, f"ensemble.perturbation={size}")
    space = run.system.model.space
    f = space.inverse(state(run))
    assert (f[:, 0].imag.abs().max() < 1e-14) and f[:, 0].real.min() > 0
    assert (space.mean(f[:, 0].real) - 1).abs().max() < 1e-14
    assert spins.reflections(f).max() <= 1 + 1e-12


def test_a_small_change_of_a_uniform_start_is_the_noise(make_run):
    """c - 1, and real and imaginary part of f_1, whatever the number of moments."""
    found = []
    for order in (1, 5):
        deck = text("moments").replace("order: 16", f"order: {order}, start: isotropic")
        run = make_run(deck, "ensemble.perturbation=1e-6")
        found.append(run.system.model.space.inverse(state(run))[:, :2])
    torch.testing.assert_close(*found, rtol=0, atol=1e-15)
    for part in (found[0][:, 0].real - 1, found[0][:, 1].real, found[0][:, 1].imag):
        assert float(part.std()) == pytest.approx(1e-6, rel=0.15)


@pytest.mark.parametrize("closure", ["", "closure: bingham\n"], ids=["resolved", "closed"])
def test_a_suspension_stays_admissible(make_run, closure):
    """At all steps and for all members: divergence, trace and the reality and positivity of moments."""
    more = "order: 1, dealias: smooth36" if closure else "order: 20, dealias: smooth36"
    deck = text("moments").replace("order: 16", more) + closure
    run = make_run(deck, "time.end=1 s", "mesh.cells=[32, 32]")
    model, steps = run.system.model, 0
    for now in run.march():
        hat = now.values[model.unknown]
        velocity = model.space.forward(model.now(hat, now.t).flow.velocity)
        assert sum(k * velocity[:, i] for i, k in enumerate(model.space.k)).abs().max() < 1e-13
        row = model.monitor(hat, now.t)
        assert row["outside"] == 0 and row["trace"] < 1e-13 and row["concentration_min"] > 0
        assert abs(row["mass"]) < 1e-13
        steps += 1
    assert steps == 100


@pytest.mark.parametrize("cells", [(24,), (12, 16), (8, 6, 10)])
@pytest.mark.parametrize("dealias", ["two_thirds", "smooth36", "none"])
def test_noise_has_its_deviation_and_no_mean(cells, dealias):
    space = Fourier(cells, [2.0] * len(cells), dealias=dealias)
    noise = Noise(space, range(3, 203), 0.5, 1)(2)
    assert noise.shape == (200, 2, *cells)
    assert noise.sum(dim=tuple(range(2, noise.dim()))).abs().max() < 1e-10
    assert float(noise.std()) == pytest.approx(0.5, rel=0.03)
    part = Noise(space, range(10, 12), 0.5, 1)(2)
    assert torch.equal(part, noise[7:9])
    kept = space.sibling(real=True)
    if dealias == "two_thirds":
        assert (kept.forward(noise) * (kept.mask == 0)).abs().max() < 1e-15
