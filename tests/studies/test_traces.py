"""Models beside the truth on short runs: equal models agree, starts are equal, truths are kept."""

import math

import pytest
import torch

from plexus.studies.active_fluid import traces, truths
from plexus.studies.active_fluid.compare import SETS, TRUTH, compare
from plexus.studies.active_fluid.contenders import BINGHAM, CLASSICAL, AngleGrid, Case, Contender, Setup
from plexus.studies.active_fluid.score import judge, posteriori, priori
from plexus.studies.active_fluid.traces import Stop, roll

SMALL = Setup(cells=24, dt=0.02, end=0.4, order=6, every=5, frames=(0.2, 0.4, 0.1))
CASE = Case(-3.0, 1.0, 5)


@pytest.fixture(scope="module")
def true():
    return truths.truth(CASE, SMALL)


def test_a_trace_has_a_sample_per_output_time(true):
    assert true.times.tolist() == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert true.velocity.shape == (5, 2, 24, 24)
    assert true.spectrum.shape == (5, traces.HIGHEST)
    assert true.frames["times"].tolist() == pytest.approx([0.2, 0.3, 0.4])


def test_the_truth_is_its_own_best_model(true):
    again = roll(CASE, SMALL, Contender("same", SMALL.order))
    found = posteriori(again, true)
    assert found.horizons == (math.inf,) * 3


@pytest.mark.parametrize("model", [*CLASSICAL, AngleGrid("angles", 6)], ids=lambda m: m.name)
def test_all_models_start_from_the_same_waves(model, true):
    found = roll(CASE, SMALL, model)
    errors = [traces.velocity_error(a, b) for a, b in zip(found.velocity, true.velocity, strict=True)]
    # a model of one moment starts from the flow of its own f_2
    assert max(errors) < (1e-2 if model.order == 1 else 1e-5)
    assert found.order[0] == pytest.approx(float(true.order[0]))


def test_a_model_that_is_far_off_ends_early(true):
    wrong = roll(CASE, SMALL, BINGHAM, stop=Stop(true, 0.0))
    assert len(wrong.times) <= 2


def test_the_true_moment_has_no_error(true):
    frames = {k: v.to(torch.complex128 if v.is_complex() else torch.float64) for k, v in true.frames.items()}
    found = judge(1, frames, {"f2": frames["f2"]}, CASE.zeta)
    assert (found.moment, found.stress, found.outside) == (0.0, 0.0, 0)
    assert priori(CASE, SMALL, BINGHAM, true).moment > 0


def test_truths_are_kept_in_a_folder(tmp_path, true):
    truths.forget()
    first = truths.truth(CASE, SMALL, tmp_path)
    truths.forget()
    again = truths.truth(CASE, SMALL, tmp_path)
    (path,) = tmp_path.iterdir()
    assert path.suffix == ".npz"
    torch.testing.assert_close(again.velocity, first.velocity)
    torch.testing.assert_close(again.frames["f3"], first.frames["f3"])
    assert truths.name(CASE, SMALL) != truths.name(Case(-3.0, 1.0, 6), SMALL)


def test_scores_are_kept_by_set_and_model():
    where = SETS[0]
    scores = compare(CLASSICAL, [Case(*where, 5), Case(*where, 6)], setup=lambda case: SMALL)
    assert len(scores.over(where, BINGHAM.name)) == 2
    assert scores.horizon(where, TRUTH, end=40.0) == 40.0
    assert scores.prior(where, "two-moment", "moment") > 0
    assert {line["model"] for line in scores.plain()} == {TRUTH, *(c.name for c in CLASSICAL)}
