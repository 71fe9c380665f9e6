"""Pictures of histories: special ones where a kind suits the table, else the columns over time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from plexus_post import members
from plexus_post.pictures import over_time
from plexus_post.readers.run import Run

if TYPE_CHECKING:
    import pandas

FOLDER = "histories"
"""Name of the folders that hold kinds of pictures."""
COUNTERS = ("time", "step", "iteration", "wall")
"""Columns that say when, not what."""


@dataclass(frozen=True)
class History:
    """One table of a run.

    Attributes
    ----------
    run : whose it is; name : its name, parts divided by ``/``.
    table : all its numbers, indexed by time, step or iteration.
    columns : those that tell something, in order; positions : (k, d) points of a probe, else empty.
    """

    run: Run
    name: str
    table: pandas.DataFrame
    columns: list[str]
    positions: np.ndarray

    @property
    def family(self) -> str:
        """First part of the name."""
        return self.name.split("/")[0]

    @classmethod
    def of(cls, run: Run, name: str) -> History:
        """Read a table; counters are axes, and columns of zeros tell nothing."""
        table = run.series(name).select_dtypes("number")
        told = [
            str(c) for c in table if c not in COUNTERS and np.nan_to_num(table[c]).any() and _varied(table[c])
        ]
        return cls(run, name, table, sorted(told, key=_numbers), run.series_file.positions(name))


class Kind(Protocol):
    """What the module of a special picture has."""

    def suits(self, history: History) -> bool:
        """Return whether a table is one of those that it draws."""

    def draw(self, history: History, path: Path) -> Path:
        """Draw the table and return the path."""


def histories(run: Run, folder: Path) -> list[Path]:
    """Write a picture of every history with at least two rows, and of every line; return the paths."""
    made = []
    special: list[Kind] = list(members.of_rooms(FOLDER))
    for name in run.series_file.columns:
        one, path = History.of(run, name), folder / f"{name.replace('/', '_')}.png"
        kind = next((k for k in special if k.suits(one)), None)
        if kind:
            made.append(kind.draw(one, path))
        elif len(one.table) > 1 and one.columns:
            made.append(over_time.draw(name, one.table, one.columns, path))
    return made


def _varied(column: pandas.Series) -> bool:
    """Return whether a column has two values to draw a line between."""
    return int(np.isfinite(column).sum()) > 1 or len(column) == 1


def _numbers(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts the numbers in names as numbers."""
    return [(int(part or 0), "") if i % 2 else (0, part) for i, part in enumerate(re.split(r"(\d+)", name))]
