"""Moments that no distribution has: told by runs of reduced models, and before trainings learn from them."""

import case_runs
import torch

from plexus.learning.data._source import impossible

DECK = """\
plexus: 1
mesh: {type: periodic, cells: [16, 16], size: [10, 10]}
physics: {type: active_fluid, order: 1, alpha: -8, zeta: 1, beta: 0.8, d_T: 0.05, d_R: 0.05}
closure: quadratic
time: {stepper: sbdf2, end: 6, step: 0.05}
quantities: {impossible: {type: mean, of: outside}}
"""


def test_an_order_above_one_is_told_and_counted(tmp_path):
    found = case_runs.ran(case_runs.written(tmp_path, DECK))
    told = found.summary()["bounds"]["order"]
    assert "order is 1." in found.said and "above 1 at t =" in found.said
    assert told["steps_outside"] > 0 and told["highest"] > 1


def test_a_bound_stops_it(tmp_path):
    found = case_runs.ran(case_runs.written(tmp_path, DECK), "-s", "runtime.guard={order: [0, 1]}")
    assert found.code == 5 and "runtime.guard.order: order is 1." in found.said


def test_training_data_beyond_the_possible_are_told():
    c = torch.ones(2, 4, dtype=torch.float64)
    f1 = torch.full((2, 4), 0.6 + 0.8j, dtype=torch.complex128)
    assert impossible({"c": c, "f1": f1}) is None
    f1[0, 0] = 1.2
    text = impossible({"c": c, "f1": f1})
    assert text is not None and text.startswith("1 of 8 points (12.50%) have an order above 1, up to 1.2")
