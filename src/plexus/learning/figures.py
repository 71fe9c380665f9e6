"""Figures of a run or training, by which members of a sweep are compared: plain arithmetic on its summary.

================== ============================================================================
loss, loss.<n>     loss at the end of the last stage, of stage n
validation         mean of the relative errors of all rows of the validation
validation.<name>  mean over the cases of one metric
all others         final values of quantities
================== ============================================================================

Beside an error of the validation stands the best classical rival: the smallest such mean over the same rows.
Where the fallback has answered too much of it, no verdict is given: the part was hardly asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from plexus.fileformat import MOST_ANSWERED

LOSS, VALIDATION, RIVAL = "loss", "validation", "rival"


@dataclass(frozen=True)
class Figure:
    """A number, and the name and number of the best classical rival, where there is one.

    ``fallback`` is the largest share of a validation that the fallback has answered, where it is too large.
    """

    value: float
    rival: str = ""
    beside: float | None = None
    fallback: float = 0.0

    @property
    def worse(self) -> bool:
        """Whether the rival, which needs no training, is at least as good."""
        return self.beside is not None and not self.fallback and not self.value < self.beside


def figures(summary: Mapping[str, Any]) -> dict[str, Figure]:
    """Return name -> figure of all that a summary tells."""
    quantities = summary.get("quantities") or {}
    told = {name: Figure(value) for name, value in quantities.items() if isinstance(value, int | float)}
    stages = [name for name in told if name.startswith(f"{LOSS}.")]
    last = {LOSS: told[stages[-1]]} if stages else {}
    return told | last | validated(summary.get("validation") or [])


def validated(table: Sequence[Mapping[str, Any]]) -> dict[str, Figure]:
    """Return the figures of a table of validation."""
    metrics = dict.fromkeys(row["metric"] for row in table)
    parts = {f"{VALIDATION}.{name}": [row for row in table if row["metric"] == name] for name in metrics}
    return {name: _mean(rows) for name, rows in ({VALIDATION: table} | parts).items() if rows}


def _mean(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Return the mean of rows beside that of the rival which is best in the mean."""

    def mean(values: Sequence[float]) -> float:
        return sum(values) / len(rows)

    names = [name for name in rows[0]["baselines"] if all(name in row["baselines"] for row in rows)]
    rivals = {name: mean([row["baselines"][name] for row in rows]) for name in names}
    value = mean([row["value"] for row in rows])
    answered = max(row.get("fallback", 0.0) for row in rows)
    best = min(rivals, key=lambda name: rivals[name], default="")
    return Figure(value, best, rivals.get(best), answered if answered > MOST_ANSWERED else 0.0)
