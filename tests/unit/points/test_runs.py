"""Runs of models without a mesh: orders, ensembles, quantities, tangents, failures."""

import math

import numpy as np
import pytest
import torch
from crew import plexus

from plexus.coupling.stages import STATE
from plexus.errors import GuardError, InputError, SolveError

CHAIN = """
plexus: 1
physics: {type: lorenz96, n: 12, forcing: 8}
initial: {state: "8 + sin(2*pi*x/12) + cos(4*pi*x/12)"}
time: {stepper: STEPPER, end: 0.5 s, step: 0.01 s}
"""
ENSEMBLE = CHAIN.replace("time:", "ensemble: {members: 6, perturbation: 0.5, seed: 3}\ntime:")
METHODS = {
    "bogacki_shampine": ("{type: runge_kutta, method: bogacki_shampine}", 3, 0.005),
    "classical": ("{type: runge_kutta, method: classical}", 4, 0.0125),
    "dormand_prince": ("{type: runge_kutta, method: dormand_prince}", 5, 0.00625),
    "backward Euler": ("theta", 1, 0.00025),
    "midpoint": ("{type: theta, theta: 0.5}", 2, 0.0025),
    "bdf2": ("bdf2", 2, 0.00125),
}


@pytest.fixture
def final(make_run):
    """Return a function (deck, stepper, overrides) -> final state (members, values)."""

    def march(text, stepper, *overrides):
        run = make_run(text.replace("STEPPER", stepper), *overrides)
        run.execute()
        return run.state.values[STATE].numpy()

    return march


@pytest.mark.parametrize("method", METHODS)
def test_steppers_have_their_orders(final, method):
    stepper, order, dt = METHODS[method]
    # in a chaotic chain large errors soon leave their expansion in the step
    end = f"time.end={0.5 if order > 2 else 0.1} s"
    exact = final(CHAIN, METHODS["dormand_prince"][0], "time.step=0.001", end)
    errors = [np.abs(final(CHAIN, stepper, f"time.step={h!r}", end) - exact).max() for h in (dt, dt / 2)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize("method", ["bogacki_shampine", "dormand_prince"])
def test_the_error_estimate_keeps_the_tolerance(final, make_run, method):
    exact = final(CHAIN, METHODS["dormand_prince"][0], "time.step=0.001")
    run = make_run(CHAIN.replace("STEPPER", METHODS[method][0]), "time.adaptive={tolerance: 1e-7}")
    run.execute()
    error = np.abs(run.state.values[STATE].numpy() - exact).max() / np.abs(exact).max()
    assert error < 1e-7 * run.clock.step
    assert run.clock.step > 5


def test_an_estimate_is_needed_for_adaptive_steps(make_run):
    with pytest.raises(InputError, match="classical has no error estimate"):
        make_run(CHAIN.replace("STEPPER", METHODS["classical"][0]), "time.adaptive={tolerance: 1e-7}")


@pytest.mark.parametrize("method", ["classical", "dormand_prince", "midpoint", "bdf2"])
def test_a_batch_is_its_members_as_runs_of_their_own(final, method):
    stepper = METHODS[method][0]
    batch = final(ENSEMBLE, stepper)
    assert len(batch) == 6 and np.ptp(batch, axis=0).min() > 0
    for number in range(6):
        alone = final(ENSEMBLE, stepper, "ensemble.members=1", f"ensemble.first={number}")
        np.testing.assert_allclose(alone[0], batch[number], rtol=1e-12, atol=1e-12)


def test_the_last_stage_is_the_first_one_of_the_next_step(make_run):
    run = make_run(CHAIN.replace("STEPPER", METHODS["dormand_prince"][0]), "time.end=0.1 s")
    calls, rates = [], run.system.rates
    run.system.rates = lambda values, t: calls.append(t) or rates(values, t)
    run.execute()
    assert run.clock.step == 10 and len(calls) == 1 + 6 * 10


QUANTITIES = """
quantities:
  energy: {type: mean, of: energy}
  sum: {type: integral, of: state}
  top: {type: maximum, of: "state + 0*x"}
  bottom: {type: minimum, of: state}
  size: {type: norm, of: state}
  there: {type: value, of: "2*state + t", at: [7, 4]}
  ours: {type: value, of: state_mean, at: [7, 0]}
  spread: {type: mean, of: state_spread}
  number: {type: mean, of: y}
  wrong: {type: error, of: state, exact: 8}
"""


def test_quantities_of_an_ensemble(make_run):
    run = make_run(ENSEMBLE.replace("STEPPER", METHODS["classical"][0]) + QUANTITIES)
    run.execute()
    x, found = run.state.values[STATE].numpy(), run.values()
    expected = {
        "energy": (x**2 / 2).mean(),
        "sum": x.sum(1).mean(),
        "top": x.max(),
        "bottom": x.min(),
        "size": math.sqrt((x**2).sum(1).mean()),
        "there": 2 * x[4, 7] + 0.5,
        "ours": x[:, 7].mean(),
        "spread": x.std(0, ddof=1).mean(),
        "number": 2.5,
        "wrong": math.sqrt(((x - 8) ** 2).sum(1).mean()),
    }
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("at", "message"),
    [("[1.5, 0]", "whole numbers"), ("[12, 0]", "0 to 11"), ("[0, 6]", "0 to 5")],
)
def test_places_are_values(make_run, at, message):
    text = ENSEMBLE.replace("STEPPER", "bdf2") + f"quantities: {{q: {{type: value, of: state, at: {at}}}}}\n"
    with pytest.raises(InputError, match=message):
        make_run(text)


def test_growth_at_the_unstable_steady_state_is_its_largest_eigenvalue(make_run):
    """At X = F the tangent is circulant: λ = max_k F (cos θ_k - cos 2θ_k) - 1, which is F - 1 for N = 12."""
    text = CHAIN.replace("8 + sin(2*pi*x/12) + cos(4*pi*x/12)", "8") + "quantities:\n"
    text += "  early: {type: lyapunov, after: 4 s}\n  late: {type: lyapunov, after: 5 s}\n"
    for stepper, tolerance in ((METHODS["classical"][0], 1e-5), ("{type: theta, theta: 0.5}", 5e-3)):
        run = make_run(text.replace("STEPPER", stepper), "time.end=8 s")
        assert math.isnan(run.values()["late"])
        run.execute()
        assert run.values() == pytest.approx({"early": 7.0, "late": 7.0}, rel=tolerance)
        assert run.units["late"] == "1/s"
        # the length of the direction is kept, so that nothing overflows
        assert float(run.system.values(run.state)["tangent"].norm()) == pytest.approx(1, rel=1e-2)


def test_growth_from_a_time_that_never_comes_is_refused(make_run):
    text = CHAIN.replace("STEPPER", METHODS["classical"][0])
    with pytest.raises(InputError, match=r"quantities\.l: after 5 s is not before the end 5 s"):
        make_run(text + "quantities: {l: {type: lyapunov, after: 5 s}}\n", "time.end=5 s")


def test_a_tangent_changes_nothing(make_run, final):
    stepper, adaptive = METHODS["dormand_prince"][0], "time.adaptive={tolerance: 1e-6}"
    alone = final(CHAIN, stepper, adaptive)
    run = make_run(CHAIN.replace("STEPPER", stepper) + "quantities: {l: {type: lyapunov}}\n", adaptive)
    run.execute()
    np.testing.assert_allclose(run.system.values(run.state)["state"].numpy(), alone, rtol=1e-12)


def test_relaxation_oscillations_have_the_period_of_the_asymptotic_formula(make_run):
    """T = (3 - 2 ln 2) μ + 7.014 μ^(-1/3) + O(ln μ / μ) (Dorodnicyn; α = 2.338 is Airy's first zero)."""
    mu = 100.0
    text = f"""
plexus: 1
physics: {{type: van_der_pol, mu: {mu}}}
time: {{stepper: bdf2, end: 400 s, step: 0.1 s, adaptive: {{tolerance: 1e-6}}}}
"""
    run = make_run(text)
    rising, before = [], None
    for state in run.march():
        w = float(state.values[STATE][0, 1])
        if before is not None and before[1] < 0 <= w:
            rising.append(state.t - w / (w - before[1]) * (state.t - before[0]))
        before = state.t, w
    period = (3 - 2 * math.log(2)) * mu + 7.014 * mu ** (-1 / 3)
    assert len(rising) >= 2
    assert np.diff(rising) == pytest.approx(period, rel=2e-3)
    assert run.clock.step < 8000


def test_a_solve_that_fails_shortens_the_step_or_ends_the_run(make_run):
    text = "plexus: 1\nphysics: {type: van_der_pol, mu: 1000}\ninitial: {position: 2, lienard: 50}\n"
    text += "time: {stepper: theta, end: 1 s, step: 1 s}\n"
    run = make_run(text)
    run.system.model.jacobian = lambda values, t: torch.full((1, 2, 2), torch.nan).double()
    with pytest.raises(SolveError, match="did not converge"):
        run.execute()
    run = make_run(text, "time.adaptive={tolerance: 1}")
    real, calls = run.system.model.jacobian, []

    def once(values, t):
        calls.append(t)
        return real(values, t) if len(calls) > 25 else torch.full((1, 2, 2), torch.nan).double()

    run.system.model.jacobian = once
    run.execute()
    assert run.controller.rejected >= 1 and run.clock.done


def test_a_lost_value_is_blamed_with_its_member(make_run):
    run = make_run(ENSEMBLE.replace("STEPPER", METHODS["classical"][0]))
    run.state.values[STATE][2, 5] = math.inf
    with pytest.raises(GuardError, match=r"state\[\d+\] of member 2 at t = 0.01 s: not finite"):
        run.execute()


def test_a_deck_without_a_place_starts_as_the_model_says(make_run):
    run = make_run("plexus: 1\nphysics: lorenz96\ntime: {stepper: runge_kutta, end: 1, step: 0.1}\n")
    x = run.state.values[STATE][0]
    assert x.shape == (40,) and float(x[20]) == 8.008 and float(x.sum()) == pytest.approx(320.008)


def test_one_value_has_no_profile(tmp_path):
    deck = tmp_path / "deck.yaml"
    deck.write_text(
        "plexus: 1\nphysics: {type: van_der_pol, mu: 1}\ntime: {stepper: bdf2, end: 1, step: 0.5}\n"
        "output: [{type: fields}]\n"
    )
    done = plexus(tmp_path, "run", str(deck), "-o", "out")
    assert done.code == 2
    assert f"{deck}:4:17: output[0]: one value has no profile to show" in done.out + done.err
