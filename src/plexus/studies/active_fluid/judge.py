"""Rows of the table of learned closures: values by set of constants, the one that counts, bound and aim."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from plexus.bench.table import Row
from plexus.studies.active_fluid.compare import label


def judged(
    item: str,
    values: Mapping[Any, float],
    bound: float | None,
    aim: float | None = None,
    pick: Callable[[Sequence[float]], float] = max,
    unit: str = "x",
    note: str = "",
) -> Row:
    """Return the row of the value that ``pick`` chooses; bounds are lower ones where it seeks the least."""
    upper = pick is max or pick is mean
    # what has no finite value is worse than any bound
    value = pick([v if math.isfinite(v) else math.inf if upper else -math.inf for v in values.values()])
    holds = None if bound is None else value <= bound if upper else value >= bound
    parts = [listed(values)]
    if aim is not None:
        reached = value <= aim if upper else value >= aim
        parts.append(f"aim {aim:g}: {'reached' if reached else 'not reached'}")
    measured = value if math.isfinite(value) else None
    return Row(item, measured, unit, bound, holds, "; ".join([*parts, *([note] if note else [])]))


def third(values: Sequence[float]) -> float:
    """Return the third largest value: a lower bound on it must hold on three sets."""
    return sorted(values, reverse=True)[2]


def mean(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def listed(values: Mapping[Any, float], digits: int = 3) -> str:
    """Return values by set of constants, or by name, in words."""
    return ", ".join(f"{k if isinstance(k, str) else label(k)} {v:.{digits}g}" for k, v in values.items())
