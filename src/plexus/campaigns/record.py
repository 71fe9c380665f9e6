"""The table of a campaign: one row per draw in ``series.h5``, and what is told of all of them.

Columns are `draw`, `trained` (1 for draws of the training), `failed`, `indicator`, `beyond` (1 where the
indicator is above the tolerance), `newton`, `outside` (points at which data of the material or the criterion
do not reach), the figures, and for checked draws `full_<figure>` and `error_<figure>`, relative to the full
model. A failed draw has no figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plexus.fileformat import DRAWS, SERIES
from plexus.io.series import Series

QUANTILES = {"p5": 0.05, "median": 0.5, "p95": 0.95}
Row = dict[str, float]


class Record:
    """Rows by the number of the draw; every rank has all.

    Parameters
    ----------
    folder : Path or None
        Run folder; None on ranks that write nothing.
    units : mapping
        Figure -> unit.
    texts : mapping
        What the file tells: of the deck, and as `rom` the identity of the reduced model.
    """

    def __init__(self, folder: Path | None, units: Mapping[str, str], texts: Mapping[str, str]):
        self.folder, self.units, self.texts = folder, dict(units), dict(texts)
        self.rows: dict[int, Row] = {}

    @staticmethod
    def read(folder: Path) -> dict[int, Row]:
        """Return the rows that an earlier campaign has left (one rank only); none without a table.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        columns = Series.resume(folder / SERIES, 2**62).tables.get(DRAWS, {})
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        return {int(row["draw"]): {k: v for k, v in row.items() if v == v} for row in rows}

    @staticmethod
    def model(folder: Path) -> str:
        """Return the identity of the model of these rows (one rank only); empty where none is told."""
        return Series.resume(folder / SERIES, 2**62).texts.get("rom", "")

    def compare(self, number: int, full: Mapping[str, float]) -> None:
        """Add to a draw what the full model says."""
        row = self.rows[number]
        for name, value in full.items():
            row[f"full_{name}"] = value
            if name in row:
                row[f"error_{name}"] = _error(row[name], value)

    def write(self) -> None:
        """Write the table; it is complete whenever it is visible."""
        if self.folder is None:
            return
        series = Series(self.folder / SERIES)
        series.texts = self.texts
        units = self.units | {f"full_{name}": unit for name, unit in self.units.items()}
        for number in sorted(self.rows):
            series.add(DRAWS, self.rows[number], units)
        series.flush(force=True)

    def facts(self) -> dict[str, Any]:
        """Return what is told of all draws."""
        rows = [self.rows[number] for number in sorted(self.rows)]
        failed = [int(row["draw"]) for row in rows if row["failed"]]
        return {
            "draws": len(rows),
            "failed": failed,
            "beyond": [int(row["draw"]) for row in rows if row.get("beyond")],
            "outside": [int(row["draw"]) for row in rows if row.get("outside")],
            "distribution": {name: _spread(_column(rows, name)) for name in self.units},
            "errors": {
                name: {"checked": len(e), "median": float(np.median(e)), "largest": float(e.max())}
                for name in self.units
                if len(e := np.abs(_column(rows, f"error_{name}")))
            },
        }


def _error(value: float, full: float) -> float:
    """Return how far a figure is off, relative to that of the full model."""
    if value == full:
        return 0.0
    return (value - full) / abs(full) if full else float("inf")


def _column(rows: Sequence[Row], name: str) -> np.ndarray:
    """Return the values of a column where there are some."""
    return np.array([row[name] for row in rows if name in row])


def _spread(values: np.ndarray) -> dict[str, float]:
    """Return quantiles, each a value of a draw: lives may have no end."""
    if not len(values):
        return {}
    found = {name: float(np.quantile(values, q, method="inverted_cdf")) for name, q in QUANTILES.items()}
    return found | {"least": float(values.min()), "most": float(values.max())}


def text(facts: Mapping[str, Any], units: Mapping[str, str]) -> str:
    """Return the distribution, failures and errors as lines."""
    lines = [f"{facts['draws']} draws"]
    if facts["failed"]:
        lines.append(f"{len(facts['failed'])} did not come to their end: {numbered(facts['failed'])}")
    if facts["beyond"]:
        lines.append(
            f"{len(facts['beyond'])} leave what the model knows (indicator above {facts['tolerance']:g}): "
            f"{numbered(facts['beyond'])}"
        )
    if facts["outside"]:
        lines.append(
            f"{len(facts['outside'])} go where data of material or criterion do not reach: "
            f"{numbered(facts['outside'])}"
        )
    width = max(map(len, facts["distribution"]), default=0)
    for name, spread in facts["distribution"].items():
        if spread:
            unit = f" {units[name]}" if units.get(name) else ""
            lines.append(
                f"{name.ljust(width)}  5 %: {spread['p5']:.5g}  median: {spread['median']:.5g}  "
                f"95 %: {spread['p95']:.5g}{unit}"
            )
    for name, error in facts["errors"].items():
        lines.append(
            f"{name.ljust(width)}  error on {error['checked']} checked draws: median {error['median']:.2g}, "
            f"largest {error['largest']:.2g}"
        )
    return "\n".join(lines)


def numbered(draws: Sequence[int]) -> str:
    """Return numbers of draws as text, the first twelve of them."""
    shown = [str(k) for k in draws[:12]]
    return ", ".join([*shown, f"and {len(draws) - 12} more"] if len(draws) > 12 else shown)
