"""Bodies that nothing holds, or hardly, and solvers that find them: the right value or a refusal."""

import pytest
from case_runs import RANKS, run


@pytest.mark.parametrize("ranks", RANKS)
def test_a_part_that_nothing_holds_is_refused_and_named(tmp_path, ranks):
    outcome = run("04_unconnected_parts", tmp_path, ranks=ranks)
    assert outcome.code == 3, outcome.said
    assert "Traceback" not in outcome.said
    for words in (
        "deck.yaml:",
        "do not balance",
        "x = 1 to 2 m, y = 0 to 1 m (42 cells, region B)",
        "2 parts",
    ):
        assert words in outcome.said, outcome.said


@pytest.mark.parametrize("ranks", RANKS)
def test_weak_convection_fixes_the_level(tmp_path, ranks):
    outcome = run("06_weak_convection", tmp_path, ranks=ranks)
    assert outcome.quantities()["top"] == pytest.approx(350, rel=1e-6)


@pytest.mark.parametrize("ranks", RANKS)
def test_a_jump_of_stiffness_is_solved_by_default(tmp_path, ranks):
    outcome = run("21_stiffness_jump", tmp_path, ranks=ranks)
    assert outcome.quantities()["tip"] == pytest.approx(6.767e-3, rel=1e-3)
