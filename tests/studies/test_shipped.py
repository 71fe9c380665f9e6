"""The bundles that ship: better than the classical closure a priori, and admissible in a short run."""

from pathlib import Path

import pytest

from plexus.studies.active_fluid import shipped, truths
from plexus.studies.active_fluid.contenders import BINGHAM, TWO_MOMENT, Case, Setup
from plexus.studies.active_fluid.score import priori
from plexus.studies.active_fluid.traces import roll

FOLDER = Path(__file__).parents[2] / shipped.FOLDER
SETUP = Setup(cells=64, dt=0.01, end=7.0, order=12, every=50, frames=(5.0, 7.0, 0.5))
CASE = Case(-3.0, 1.0, 2)
BUNDLES = shipped.contenders(FOLDER)


@pytest.fixture(scope="module")
def true():
    return truths.truth(CASE, SETUP)


def test_there_is_a_bundle_for_each_number_of_moments():
    assert {model.order for model in BUNDLES.values()} >= {1, 2}


@pytest.mark.parametrize("model", BUNDLES.values(), ids=BUNDLES)
def test_a_bundle_beats_the_classical_closure(model, true):
    found = priori(CASE, SETUP, model, true)
    classical = priori(CASE, SETUP, BINGHAM if model.order == 1 else TWO_MOMENT, true)
    assert found.outside == 0
    if model.order == 2:
        assert found.moment <= 0.5 * classical.moment
    else:
        assert found.stress < classical.stress


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("order", [1, 2])
def test_a_short_run_stays_within_range_and_possible(order, wide, true):
    model = shipped.spin(order, wide, FOLDER)
    assert model is not None
    found = roll(CASE, SETUP, model)
    assert found.times[-1] == pytest.approx(SETUP.end)
    assert float(found.highest.max()) < 0.999
    assert found.guarded == 0
    if order == 1:
        assert int(found.outside.sum()) == 0
