"""Scores of several models over several sets of constants and seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from plexus.studies.active_fluid.contenders import Case, Contender, Setup, usual
from plexus.studies.active_fluid.score import Posteriori, Priori, posteriori, priori
from plexus.studies.active_fluid.traces import Stop, roll
from plexus.studies.active_fluid.truths import forget, truth

Set = tuple[float, float]
SETS: tuple[Set, ...] = ((-3.0, 1.0), (-1.0, 1.0), (-5.0, 1.0), (-3.0, 0.3))
"""α and ζ of the comparisons; the first is what closures are trained on."""
TRUTH = "truth"


def label(where: Set) -> str:
    """Return e.g. ``(-3, 0.3)``."""
    return f"({where[0]:g}, {where[1]:g})"


@dataclass
class Scores:
    """Scores by case and name of the model; the truth itself is under `TRUTH`, a posteriori."""

    runs: dict[tuple[Case, str], Posteriori] = field(default_factory=dict)
    closures: dict[tuple[Case, str], Priori] = field(default_factory=dict)

    def over(self, where: Set, name: str) -> list[Posteriori]:
        """Return a model's runs of one set of constants, in the order of the seeds."""
        cases = sorted((c for c, n in self.runs if n == name and (c.alpha, c.zeta) == where), key=_seed)
        return [self.runs[c, name] for c in cases]

    def prior(self, where: Set, name: str, key: str) -> float:
        """Return the mean over seeds of an a-priori error."""
        found = [
            getattr(p, key) for (c, n), p in self.closures.items() if n == name and (c.alpha, c.zeta) == where
        ]
        return _mean(found)

    def mean(self, where: Set, name: str, key: str) -> float:
        """Return the mean over seeds of a number of a model's runs."""
        return _mean([getattr(p, key) for p in self.over(where, name)])

    def horizon(self, where: Set, name: str, end: float = 40.0) -> float:
        """Return the mean over seeds of the horizon; runs that never get so far off count as ``end``."""
        return _mean([min(p.horizon, end) for p in self.over(where, name)])

    def bias(self, where: Set, name: str, key: str) -> float:
        """Return a model's ensemble mean over seeds less the truth's."""
        return self.mean(where, name, key) - self.mean(where, TRUTH, key)

    def spectrum(self, where: Set, name: str) -> float:
        """Return the log10 error of the velocity spectrum averaged over seeds."""
        both = [np.mean([p.spectrum for p in self.over(where, n)], axis=0) for n in (name, TRUTH)]
        return math.sqrt(float(np.mean(np.log10(both[0] / both[1]) ** 2)))

    def plain(self) -> list[dict[str, Any]]:
        """Return all numbers of all runs for a JSON file."""
        keys = sorted({*self.runs, *self.closures}, key=lambda k: (k[1], k[0].alpha, k[0].zeta, k[0].seed))
        tables: tuple[dict[Any, Any], ...] = (self.closures, self.runs)
        found = []
        for case, name in keys:
            line = {**asdict(case), "model": name}
            for table in tables:
                line |= _finite(asdict(table[case, name])) if (case, name) in table else {}
            found.append(line)
        return found


def _seed(case: Case) -> int:
    return case.seed


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else math.nan


def _finite(value: Any) -> Any:
    """Return plain values with None where JSON has no number."""
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, tuple):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def compare(
    contenders: Sequence[Contender],
    cases: Iterable[Case],
    folder: Path | None = None,
    setup: Callable[[Case], Setup] = usual,
    off: float | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Scores:
    """Return the scores of contenders; truths come from ``folder`` where they are there.

    With a velocity error ``off`` runs end where it is exceeded, and their long-time means are nan.
    """
    scores = Scores()
    for case in cases:
        own = setup(case)
        true = truth(case, own, folder)
        scores.runs[case, TRUTH] = posteriori(true, true)
        for model in contenders:
            if model.block is not None and model.order <= 2:
                scores.closures[case, model.name] = priori(case, own, model, true)
            found = posteriori(roll(case, own, model, None if off is None else Stop(true, off)), true)
            scores.runs[case, model.name] = found
            say(f"{case} {model.name}: 30 % at t = {found.horizon:.1f}, r {found.order:.3f}")
        forget()
    return scores
