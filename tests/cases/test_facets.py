"""Names, sides, lists of facets: a file's own names hold, an interface needs a side, a facet counts once."""

import pytest
from case_runs import RANKS, run

ranked = pytest.mark.parametrize("ranks", RANKS)


@ranked
def test_a_group_of_the_file_called_exterior_is_that_group(tmp_path, ranks):
    found = run("01_group_called_exterior", tmp_path, ranks=ranks).quantities()
    assert found["length_of_exterior"] == pytest.approx(12.566, rel=1e-3)
    assert found["inner_temperature"] == pytest.approx(307.93, rel=1e-3)


@ranked
def test_a_facet_that_is_named_twice_is_loaded_once(tmp_path, ranks):
    found = run("15_flux_counted_twice", tmp_path, ranks=ranks).quantities()
    assert found["T"] == pytest.approx(310, rel=1e-6)


@ranked
def test_reactions_of_supports_that_meet_add_up(tmp_path, ranks):
    found = run("25_reactions_at_a_corner", tmp_path, ranks=ranks).quantities()
    assert found["left"] == pytest.approx(found["bottom"], rel=1e-9)
    assert found["left"] + found["bottom"] == pytest.approx(-1000, rel=1e-9)
    assert found["both"] == pytest.approx(-1000, rel=1e-9)
    # a side without a condition holds nothing, although its corners are held
    assert found["right"] == pytest.approx(0, abs=1e-9)
