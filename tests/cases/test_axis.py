"""Axes of revolution whose nodes miss r = 0 by rounding."""

from __future__ import annotations

from pathlib import Path

import case_runs
import pytest

CASE = "02_axis_rounding"
HOOP = 200e9 * 1.2e-5 * 100 / 0.7
BALL = (
    # the section of a ball: max(x, y) is the distance from the centre, and r = 1e-17 on the axis
    "mesh={type: box, cell: triangle, cells: [20, 20], degree: 2, boundaries: {axis: 'x < 1e-9', "
    "equator: 'y < 1e-9'}, "
    "map: ['max(x, y)*x/sqrt(x*x + y*y + 1e-40) + SHIFT', 'max(x, y)*y/sqrt(x*x + y*y + 1e-40)']}"
)


@pytest.mark.parametrize("ranks", case_runs.RANKS)
def test_the_hoop_stress_at_the_axis_is_finite(ranks: int, tmp_path: Path) -> None:
    found = case_runs.run(CASE, tmp_path, "-s", "mesh.refine=2", ranks=ranks).quantities()
    # the case's ball is a polygon of 14 sides: its mean temperature is off by a percent
    assert found["smallest_hoop"] == pytest.approx(-0.4 * HOOP, rel=0.02)
    assert found["largest_von_mises"] == pytest.approx(0.4 * HOOP, rel=0.02)


@pytest.mark.parametrize("shift", ["0", "1e-17", "-1e-17", "1e-13"])
def test_a_ball_of_curved_cells_has_its_closed_form(shift: str, tmp_path: Path) -> None:
    given = ("-s", BALL.replace("SHIFT", shift))
    found = case_runs.run(CASE, tmp_path, *given).quantities()
    assert found["smallest_hoop"] == pytest.approx(-0.4 * HOOP, rel=2e-3)
    assert found["hoop_half_way"] == pytest.approx(-0.2 * HOOP, rel=2e-3)
    assert found["largest_von_mises"] == pytest.approx(0.4 * HOOP, rel=2e-3)
