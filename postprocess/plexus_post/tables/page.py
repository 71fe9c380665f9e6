"""The tables of a run's report as text, ready to be escaped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from plexus_post.columns import component_names
from plexus_post.readers.run import Run
from plexus_post.tables.reduced import draws, reduced
from plexus_post.tables.summary import (
    fitted,
    guards,
    phases,
    placement,
    transfers,
    validation,
    verification_rows,
)
from plexus_post.tables.table import Table
from plexus_post.tables.training import stages
from plexus_post.text import number
from plexus_post.units import scale, words


def facts(run: Run) -> list[tuple[str, str]]:
    """Return the key figures: name, value with unit; those that the run does not tell are left out."""
    s = run.summary
    mesh = s.get("mesh") or {}
    found = [
        ("ranks", _count(s.get("ranks"))),
        ("unknowns", _count(s.get("unknowns"))),
        (f"{words(str(mesh.get('cell', '')))} cells", _count(mesh.get("cells"))),
        ("steps", _count(s.get("steps"))),
        ("wall time", _seconds(s.get("wall_seconds"))),
        ("start to first solve", _seconds(s.get("first_step_seconds"))),
        ("waiting for a core", _seconds(s.get("core_wait_seconds"))),
        (
            "peak memory of a rank",
            f"{s['peak_memory_mb']:,.0f} MB" if s.get("peak_memory_mb") is not None else "",
        ),
    ]
    return [(name, value) for name, value in found if value]


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else ""


def _seconds(value: Any) -> str:
    """Return a duration as a person says it."""
    if not isinstance(value, int | float) or not value:
        return ""
    if value < 120:
        return f"{value:.3g} s"
    hours, rest = divmod(round(value), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"


def tables(run: Run) -> Iterator[Table]:
    """Yield the tables that have rows, the results first."""
    for table in (
        _verification(run),
        _quantities(run),
        reduced(run.summary),
        draws(run.summary),
        fitted(run.summary),
        _fields(run),
        stages(run),
        guards(run.summary),
        validation(run.summary),
        _solver(run),
        phases(run.summary),
        placement(run.summary),
        transfers(run.summary),
        _provenance(run),
    ):
        if table.rows:
            yield table


def _verification(run: Run) -> Table:
    rows = []
    for entry, row in zip(run.summary.get("verification") or [], verification_rows(run.summary), strict=True):
        percent = entry.get("kind") == "relative" and entry.get("tolerance") is not None
        tolerance = f"{100 * entry['tolerance']:.3g} %" if percent else number(entry.get("tolerance"))
        rows.append(
            (*(number(v) for v in row[:3]), tolerance + " ", str(row[4]), str(entry.get("source") or ""))
        )
    head = ("quantity", "measured", "reference", "tolerance", "holds", "source")
    return Table("Verification", head, rows)


def _quantities(run: Run) -> Table:
    values = run.summary.get("quantities") or {}
    units = run.summary.get("units") or run.series_file.columns.get("quantities", {})
    rows = []
    for name, value in values.items():
        if value is None:
            continue
        factor, unit = scale(units.get(name, ""), np.array([float(value)]))
        rows.append((words(name), f"{value * factor:.8g}", unit))
    return Table("Quantities", ("name", "value at the end", "unit"), rows)


def _fields(run: Run) -> Table:
    rows = []
    for name in run.fields:
        values = run.field(name)
        flat = values.reshape(len(values), -1)
        factor, unit = scale(run.unit(name), flat)
        for part, column in zip(component_names(flat.shape[1]), flat.T, strict=True):
            # plane vectors are stored with a third component of zeros
            if len(column) and (column.any() or part != "_z"):
                low, high = (number(float(f(column)) * factor) for f in (np.min, np.max))
                rows.append((words(name) + part.replace("_", " "), low, high, unit, run.tip(name)))
    return Table("Fields at the last step", ("field", "minimum", "maximum", "unit", "meaning"), rows)


def _solver(run: Run) -> Table:
    keys = ("solves", "newton", "total", "mean", "max", "fallbacks")
    solver = run.summary.get("solver") or {}
    rows = [(words(f), *(number(s.get(k)) for k in keys)) for f, s in solver.items()]
    head = ("unknown", "solves", "Newton steps", "Krylov iterations", "mean", "most", "fallbacks")
    return Table("Solver", head, rows)


def _provenance(run: Run) -> Table:
    known = dict(run.provenance)
    versions = known.pop("versions", None) or run.summary.get("versions") or {}
    known["versions"] = ", ".join(f"{k} {v}" for k, v in versions.items())
    texts = {k: " ".join(map(str, v)) if isinstance(v, list) else str(v) for k, v in known.items()}
    return Table("Provenance", ("what", "value"), [(words(k), v) for k, v in texts.items() if v])
