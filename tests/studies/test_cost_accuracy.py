"""Which step a model may take, and the fronts of cost and horizon, from made-up figures."""

import pytest

from plexus.studies.active_fluid import cost_accuracy as bench
from plexus.studies.active_fluid import fronts, lineup
from plexus.studies.active_fluid.contenders import Case, Contender
from plexus.studies.active_fluid.fronts_plot import plot
from plexus.studies.active_fluid.horizons import Held, hold, setup, true

SETS = ((-3.0, 1.0), (-1.0, 1.0), (-5.0, 1.0), (-3.0, 0.3))


def held(failed=(), **horizons):
    """Return a model with one horizon for each step, the same over all sets."""
    found = Held()
    for step, horizon in horizons.items():
        for where in SETS:
            found.note(float(step[1:].replace("_", ".")), where, horizon, step not in failed)
    return found


def test_the_longest_step_that_costs_no_accuracy():
    assert held(s0_005=20.0, s0_01=19.5, s0_02=19.1, s0_05=12.0).step == 0.02
    assert held(s0_005=20.0, s0_01=18.0, s0_02=17.0).step == 0.005


def test_a_step_at_which_a_run_failed_is_not_taken():
    assert held(("s0_02",), s0_005=20.0, s0_01=20.0, s0_02=20.0).step == 0.01


def test_a_horizon_is_the_median_over_sets_of_the_mean_over_seeds():
    found = Held()
    for where, horizon in zip(SETS, (10.0, 20.0, 4.0, 99.0), strict=True):
        for shift in (1.0, -1.0):
            found.note(0.01, where, horizon + shift, True)
    assert found.horizon(0.01) == pytest.approx(15.0)


def test_strong_activity_halves_the_step_and_samples_stay_where_they_are():
    weak, strong = setup(Case(-1.0, 1.0), 0.02), setup(Case(-5.0, 1.0), 0.02)
    assert (weak.dt, strong.dt) == (0.02, 0.01)
    assert weak.dt * weak.every == pytest.approx(strong.dt * strong.every)


def test_runs_beside_the_truth(tmp_path, monkeypatch):
    """A cut-off hierarchy leaves the truth early; at a step far beyond stability it fails."""
    monkeypatch.setattr("plexus.studies.active_fluid.horizons.END", 2.0)
    monkeypatch.setattr("plexus.studies.active_fluid.horizons.TRUE_STEP", 0.05)
    monkeypatch.setattr(
        "plexus.studies.active_fluid.horizons.setup",
        lambda case, step: type(setup(case, step))(
            cells=16, dt=step, every=round(0.5 / step), end=2.0, order=6, frames=(1.0, 2.0, 1.0)
        ),
    )
    case = Case(-3.0, 1.0, 5)
    found = hold([Contender("six", 6), Contender("one", 1)], [case], tmp_path, (0.05, 0.5))
    assert found["six"].horizon(0.05) == 2.0
    assert 0.05 not in found["six"].failed
    assert len(true(case, tmp_path).times) == 5


def figures():
    made = {
        lineup.BINGHAM: (0.1, 8.0), lineup.TWO: (0.15, 15.0), lineup.TWO_LEARNED: (0.2, 14.0),
        lineup.RESOLVED: (0.5, 40.0),
    }  # fmt: skip
    return {
        n: fronts.Figure(0.01, {0.01: h, 0.005: h}, dict.fromkeys(bench.GRIDS, c))
        for n, (c, h) in made.items()
    }


def test_the_front_leaves_out_what_another_model_beats():
    cost = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    reach = {"a": 5.0, "b": 4.0, "c": 9.0, "d": 9.0}
    assert fronts.front(cost, reach) == ["a", "c"]


def test_rows_of_the_front_name_what_beats_the_learned_model(tmp_path):
    rows = {r.item: r for r in bench.rows(figures(), "made up")}
    last = list(rows.values())[-1]
    assert (last.measured, last.holds) == (1, False)
    assert f"beaten by {lineup.TWO} at step 0.01" in (last.peer or "")
    assert rows[f"{lineup.TWO}: horizon over that of {lineup.BINGHAM}"].holds is True
    assert rows[f"{lineup.ONE_LEARNED}: horizon over that of {lineup.BINGHAM}"].measured is None
    plot(figures(), tmp_path / "front.png")
    assert (tmp_path / "front.png").stat().st_size > 0
