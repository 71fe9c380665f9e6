"""AF29: learned closures beside their plainest rivals, at constants that no training has seen.

The networks over the range were trained at α = -1, -3, -5 with ζ = 0.3 and 1; here α and ζ lie in between.
What is learned has to hold longer than what costs as much and needs no training: learned f_2 than the
quadratic closure, learned f_3 than three moments with the autoregressive one. Horizons are those to 30 %, of
each start on its own, because ratios of single starts scatter by a factor of 1.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from plexus.bench.table import Row
from plexus.studies.active_fluid.compare import Scores, Set, compare, label
from plexus.studies.active_fluid.contenders import Case, Setup, usual
from plexus.studies.active_fluid.horizons import END, STOP
from plexus.studies.active_fluid.lineup import (
    BINGHAM,
    LEARNED,
    ONE_LEARNED,
    ONE_RUN,
    QUADRATIC,
    THREE,
    TWO_LEARNED,
    TWO_RUN,
    contenders,
)

ITEM = "AF29"
UNSEEN: tuple[Set, ...] = ((-2.0, 0.6), (-4.0, 0.8))
STARTS = (2, 3, 4, 5)
RIVAL = {ONE_LEARNED: QUADRATIC, TWO_LEARNED: THREE}
"""Learned model -> what it is asked to beat."""


def rivals(
    folder: Path,
    sets: Sequence[Set] = UNSEEN,
    starts: Sequence[int] = STARTS,
    setup: Callable[[Case], Setup] = usual,
    say: Callable[[str], None] = lambda text: None,
) -> list[Row]:
    """Return how long all models hold, over Bingham's closure, and how often learned ones hold longest."""
    models = {n: m for n, m in contenders().items() if n not in (ONE_RUN, TWO_RUN)}
    cases = [Case(*where, seed) for where in sets for seed in starts]
    scores = compare(list(models.values()), cases, folder, setup, STOP, say)
    return rows(scores, cases, [n for n in models if n != BINGHAM])


def rows(scores: Scores, cases: Sequence[Case], names: Sequence[str]) -> list[Row]:
    """Return the rows of models by name, unlearned ones first."""

    def reach(case: Case, name: str) -> float:
        return min(scores.runs[case, name].horizon, END)

    about = f"starts {' '.join(map(str, sorted({c.seed for c in cases})))} at " + " and ".join(
        dict.fromkeys(label((c.alpha, c.zeta)) for c in cases)
    )
    made = []
    for name in sorted(names, key=lambda n: n in LEARNED):
        ratios = [reach(c, name) / reach(c, BINGHAM) for c in cases]
        text = f"{', '.join(f'{r:.2f}' for r in ratios)}; {about}"
        kind = "" if name in LEARNED else ", unlearned"
        made.append(Row(f"{ITEM} horizon / Bingham's, median: {name}{kind}", median(ratios), "x", peer=text))
    for name, rival in RIVAL.items():
        if name not in names:
            made.append(Row(f"{ITEM} {name} beside {rival}", None, "", peer="no bundle"))
            continue
        longer = sum(reach(c, name) > reach(c, rival) for c in cases)
        item = f"{ITEM} starts of {len(cases)} in which {name} holds longer than {rival}"
        made.append(Row(item, longer, "starts", peer=about))
    return made
