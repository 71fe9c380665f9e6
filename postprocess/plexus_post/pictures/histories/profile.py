"""Pictures of line probes: profiles along the line at a few times."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plexus_post.pictures.history import History
from plexus_post.pictures.panels import panels, shade, spread
from plexus_post.pictures.style import save
from plexus_post.units import label, scale, words

if TYPE_CHECKING:
    import pandas

TIMES = 5
"""Profiles in one picture."""
NOISE = 1e-11
"""A component this much smaller than another one of its field is rounding."""
FEWEST = 6
"""Fewer positions are single points, whose histories tell more."""
COLUMN = re.compile(r"(.+)_(\d+)((?:_[xyz]{1,2})?)")
"""``<field>_<number>`` with the ending of a component."""


def suits(history: History) -> bool:
    """Return whether the table is that of a probe along a line."""
    return is_line(history.positions)


def is_line(positions: np.ndarray) -> bool:
    """Return whether positions (k, d) are points of one straight line, in order."""
    if len(positions) < FEWEST:
        return False
    along = positions[-1] - positions[0]
    length = float(np.linalg.norm(along))
    if length == 0:
        return False
    share = (positions - positions[0]) @ along / length**2
    off = np.abs(positions - positions[0] - share[:, None] * along).max()
    return bool(off < 1e-6 * length and np.all(np.diff(share) > 0))


def draw(history: History, path: Path) -> Path:
    """Draw every field over the distance along the line, the last time and a few before; return the path."""
    table, positions = history.table, history.positions
    fields = _fields(table)
    factor, unit = scale("m", np.ptp(positions, axis=0))
    distance = factor * np.linalg.norm(positions - positions[0], axis=1)
    rows = spread(len(table), TIMES)
    figure, every = panels(len(fields))
    for axes, (field, columns) in zip(every, fields.items(), strict=True):
        values = table[columns].to_numpy(float)
        size, symbol = scale(table.attrs["units"].get(columns[0], ""), values)
        for i, row in enumerate(rows):
            when = f"t = {float(table.index[row]):.6g} s"
            axes.plot(distance, size * values[row], color=shade(i, len(rows)), label=when)
        axes.set_ylabel(label(field, symbol))
    if len(rows) > 1:
        every[0].legend()
    every[-1].set_xlabel(label("distance", unit))
    title = words(history.name.partition("/")[2])
    every[0].set_title(f"{title[:1].upper()}{title[1:]}")
    return save(figure, path)


def _fields(table: pandas.DataFrame) -> dict[str, list[str]]:
    """Return field or component -> its columns in the order of the positions; rounding is left out."""
    found: dict[tuple[str, str], dict[int, str]] = {}
    for column in map(str, table):
        if match := COLUMN.fullmatch(column):
            found.setdefault((match[1], match[3]), {})[int(match[2])] = column
    size = {key: float(table[list(columns.values())].abs().max().max()) for key, columns in found.items()}
    # a component that is zero but for rounding, beside those that are not
    shown = [key for key in found if size[key] > NOISE * max(v for k, v in size.items() if k[0] == key[0])]
    return {field + end: [found[field, end][i] for i in sorted(found[field, end])] for field, end in shown}
