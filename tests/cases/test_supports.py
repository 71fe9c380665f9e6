"""Supports and loads that sizing needs: on curves and points, inclined, concentrated, of rotation."""

from __future__ import annotations

from pathlib import Path

import pytest
from case_runs import RANKS, check, run

CASE = "23_support_on_an_edge"


@pytest.mark.parametrize("ranks", RANKS)
def test_a_support_on_an_edge_holds(ranks: int, tmp_path: Path) -> None:
    """A bar without contraction under tension: u_x = x/E where the edge and the face at x = 0 hold it."""
    found = run(CASE, tmp_path, ranks=ranks).quantities()
    assert found["end"] == pytest.approx(1e-3, rel=1e-6)
    assert found["across"] == pytest.approx(0.0, abs=1e-9)
    assert found["support"] == pytest.approx(-1.0, rel=1e-6)


@pytest.mark.parametrize(
    "name, word",
    [("edge", "a curve or a point"), ("body", "body is a region, no boundary"), ("egde", "edge")],
)
def test_a_load_on_what_has_no_area_is_refused(name: str, word: str, tmp_path: Path) -> None:
    extra = "-s", f"boundary.2={{on: {name}, traction: [1, 0, 0]}}"
    check(CASE, tmp_path, *extra).refused(word)
    run(CASE, tmp_path, *extra).refused(word)
