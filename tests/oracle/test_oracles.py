"""Random valid decks against oracles that share no code with the program: no wrong number with exit code 0.

``PLEXUS_ORACLES=5000 pytest -s tests/oracle`` tries as many decks; every disagreement is told with its deck.
"""

import os

import pytest
from oracles.campaign import PAIRS, campaign

COUNT = int(os.environ.get("PLEXUS_ORACLES", "90"))
"""Number of decks in all."""
FIRST = int(os.environ.get("PLEXUS_ORACLES_FIRST", "0"))
"""First seed."""
REFUSED = (
    "prescribe this direction at all its nodes",
    "longer than 2000 characters",
    "too complicated",
    "in the linear solve",
    "implicit steppers need",
)
"""Why a deck may be refused: a support that adds nothing, a long expression, a solver that the deck names,
a grid too coarse for its method."""


@pytest.mark.parametrize(("oracle", "family"), PAIRS)
def test_random_decks(oracle, family, tmp_path):
    count = -(-COUNT // len(PAIRS))
    tally = campaign(oracle, family, count, tmp_path, FIRST)
    print(f"{oracle} {family}: {tally.judged} judged, {len(tally.refused)} refused")
    assert not tally.wrong, "\n".join(tally.wrong)
    assert all(any(why in text for why in REFUSED) for text in tally.refused), tally.refused
    assert count < 5 or tally.judged > count / 2
