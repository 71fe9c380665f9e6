"""The table of learned closures from made-up scores."""

import math
from pathlib import Path

import pytest

from plexus.errors import InputError
from plexus.studies.active_fluid import items, learned_closures, lineup, rivals
from plexus.studies.active_fluid.compare import SETS, TRUTH, Scores
from plexus.studies.active_fluid.contenders import Case, Setup
from plexus.studies.active_fluid.score import Posteriori, Priori


def run(
    horizon: float, order: float, early: float = 0.1, speed: float = 1.0, power: float = 1.0
) -> Posteriori:
    return Posteriori(
        horizons=(horizon / 2, horizon, math.inf), early_order=early, order=order, speed=speed,
        order_error=0.0, spectrum=(power,) * 12, spectrum_error=0.0, outside=0, highest=0.97, guarded=0.0,
        seconds=1.0,
    )  # fmt: skip


@pytest.fixture
def facts() -> items.Facts:
    """Learned models that are better than Bingham's by known factors, over two seeds."""
    scores, made = Scores(), lineup
    for where in SETS:
        for seed, shift in ((2, 1.0), (3, -1.0)):
            case = Case(*where, seed)
            scores.runs[case, TRUTH] = run(40.0, 0.85 + 0.01 * shift)
            scores.runs[case, made.BINGHAM] = run(8.0 + shift, 0.88, power=10.0)
            scores.runs[case, made.ONE_LEARNED] = run(12.0 + shift, 0.86, 0.01, 1.1, 10**0.5)
            scores.runs[case, made.TWO] = run(16.0 + shift, 0.86, 0.01)
            scores.runs[case, made.TWO_LEARNED] = run(24.0 + shift, 0.85, 0.001)
            scores.runs[case, made.ONE_RUN] = run(10.0 + shift, 0.87, 0.02)
            scores.runs[case, made.QUADRATIC] = run(12.0 + shift, 0.83, 0.05, 1.3)
            scores.runs[case, made.THREE] = run(24.0 + shift, 0.855, 0.002, 1.05)
            for name, moment, stress in (
                (made.BINGHAM, 0.02, 4e-4), (made.ONE_LEARNED, 0.01, 2e-4), (made.TWO, 0.01, math.nan),
                (made.TWO_LEARNED, 0.002, math.nan), (made.ONE_RUN, 0.012, 3e-4),
                (made.QUADRATIC, 0.03, 6e-4),
            ):  # fmt: skip
                scores.closures[case, name] = Priori(moment, stress, 0)
    names = (
        made.BINGHAM, made.QUADRATIC, made.TWO, made.THREE, made.ONE_LEARNED, made.TWO_LEARNED, made.ONE_RUN,
    )  # fmt: skip
    return items.Facts(scores, (2, 3), names)


@pytest.mark.parametrize(
    ("item", "measured"),
    [
        ("AF11", [0.5, 0.6, 1.5]), ("AF12", [0.6, 1.5]), ("AF13", [0.5, 2e-4, 1.5]), ("AF16", [0.1, 0.5]),
        ("AF17", [1.5, 1.5, 1.0]), ("AF18", [0.01, 1 / 3, 0.02]), ("AF19", [0.5, 0.5, 0.5, 0.0]),
        ("AF20", [0.1, 0.0, 0.0, 0.3, 0.0, 0.05]), ("AF22", [2.0, 3.0]),
        ("AF23", [0.2, 1.5, 3.0, 1.0, 0.0, 0.01, 0.005, 0.0, 0.0, 0.0]),
    ],
)  # fmt: skip
def test_items_measure_what_was_put_in(facts, item, measured):
    rows = items.ITEMS[item][0](facts)
    assert [r.measured for r in rows] == pytest.approx(measured, abs=1e-12)
    assert all(r.holds is not False for r in rows)


def test_what_is_learned_stands_beside_its_plainest_rival(facts):
    """A row for each start counts: here learned f_2 holds as long as the quadratic closure, not longer."""
    cases = [Case(*where, seed) for where in SETS for seed in (2, 3)]
    rows = {
        r.item: r for r in rivals.rows(facts.scores, cases, [n for n in facts.names if n != lineup.BINGHAM])
    }
    median = "AF29 horizon / Bingham's, median: "
    assert rows[f"{median}{lineup.QUADRATIC}, unlearned"].measured == pytest.approx((13 / 9 + 11 / 7) / 2)
    assert rows[f"{median}{lineup.TWO_LEARNED}"].measured == pytest.approx((25 / 9 + 23 / 7) / 2)
    longer = [r.measured for item, r in rows.items() if "holds longer" in item]
    assert longer == [0, 0]
    assert all(r.holds is None for r in rows.values())


def test_the_rivals_run_beside_the_learned_models(tmp_path, monkeypatch):
    """Two starts on a small grid: every model has a row, from the same truths."""
    monkeypatch.chdir(Path(__file__).parents[2])
    small = Setup(cells=32, dt=0.02, end=3.0, order=10, every=10, frames=(1.0, 3.0, 1.0))
    rows = rivals.rivals(tmp_path, rivals.UNSEEN[:1], (2, 3), lambda case: small)
    told = {r.item.rpartition(": ")[2].removesuffix(", unlearned") for r in rows[:5]}
    assert told == {lineup.QUADRATIC, lineup.TWO, lineup.THREE, lineup.ONE_LEARNED, lineup.TWO_LEARNED}
    assert all(r.measured is not None and r.measured > 0 for r in rows[:5])
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_a_run_that_fails_fails_the_item(facts):
    facts.scores.runs[Case(*SETS[1], 2), lineup.ONE_LEARNED] = run(1.0, math.nan)
    row = items.late_order(facts)[0]
    assert row.measured is None
    assert row.holds is False


def test_three_of_four_sets_are_enough_for_horizons(facts):
    for seed in (2, 3):
        facts.scores.runs[Case(*SETS[3], seed), lineup.ONE_LEARNED] = run(1.0, 0.86)
    assert items.horizon(facts)[0].holds is True


def test_unknown_items_are_refused():
    with pytest.raises(InputError, match="AF11"):
        learned_closures.run("AF99")
