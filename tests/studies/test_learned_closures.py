"""The table of learned closures from made-up scores."""

import math

import pytest

from plexus.errors import InputError
from plexus.studies.active_fluid import items, learned_closures, lineup
from plexus.studies.active_fluid.compare import SETS, TRUTH, Scores
from plexus.studies.active_fluid.contenders import Case
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
            for name, moment, stress in (
                (made.BINGHAM, 0.02, 4e-4), (made.ONE_LEARNED, 0.01, 2e-4), (made.TWO, 0.01, math.nan),
                (made.TWO_LEARNED, 0.002, math.nan), (made.ONE_RUN, 0.012, 3e-4),
            ):  # fmt: skip
                scores.closures[case, name] = Priori(moment, stress, 0)
    names = (made.BINGHAM, made.TWO, made.ONE_LEARNED, made.TWO_LEARNED, made.ONE_RUN)
    return items.Facts(scores, (2, 3), names)


@pytest.mark.parametrize(
    ("item", "measured"),
    [
        ("AF11", [0.5, 0.6]), ("AF12", [0.6]), ("AF13", [0.5, 2e-4]), ("AF16", [0.1]), ("AF17", [1.5]),
        ("AF18", [0.01, 1 / 3]), ("AF19", [0.5, 0.5, 0.5]), ("AF20", [0.1, 0.0, 0.0]), ("AF22", [2.0]),
        ("AF23", [0.2, 1.5, 3.0, 0.0, 0.0]),
    ],
)  # fmt: skip
def test_items_measure_what_was_put_in(facts, item, measured):
    rows = items.ITEMS[item][0](facts)
    assert [r.measured for r in rows] == pytest.approx(measured, abs=1e-12)
    assert all(r.holds is not False for r in rows)


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
