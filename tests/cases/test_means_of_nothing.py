"""Means over parts without a weight: along the axis of a body of revolution, and over nothing."""

import case_runs
import pytest

CASE = "19_mean_of_nothing"


@pytest.mark.parametrize("ranks", case_runs.RANKS)
def test_axis(ranks, tmp_path):
    found = case_runs.run(CASE, tmp_path, ranks=ranks).quantities()["on_axis"]
    assert found == pytest.approx(350, rel=1e-3)


def test_nearly_on_the_axis(tmp_path):
    mapped = "mesh={type: box, cell: quadrilateral, cells: [4, 4], map: ['x + 1e-17*y', y]}"
    found = case_runs.run(CASE, tmp_path, "-s", mapped).quantities()["on_axis"]
    assert found == pytest.approx(350, rel=1e-3)
