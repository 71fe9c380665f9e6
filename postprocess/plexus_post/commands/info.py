"""``plexus-post info``: what a run was and what it found, on one screen."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from plexus.fileformat import shown
from plexus_post.columns import component_names
from plexus_post.commands import _follow, _sweep
from plexus_post.commands._values import seconds
from plexus_post.errors import PostError
from plexus_post.readers import sweep
from plexus_post.readers.run import Run
from plexus_post.readers.run import open as open_run
from plexus_post.readers.state import state, words
from plexus_post.readers.training import Training, is_training, of_sweep
from plexus_post.tables import summary as tables
from plexus_post.tables.reduced import draws, reduced
from plexus_post.tables.table import Table
from plexus_post.tables.training import compared, stages
from plexus_post.text import number, table
from plexus_post.units import short

HELP = "what a run was and what it found"
PROVENANCE = ("started", "host", "user", "source", "command")
"""What the overview tells of the provenance; the field file holds all of it."""


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("paths", nargs="+", metavar="RUN")
    add = parser.add_argument
    add("--follow", action="store_true", help="watch the run until it ends; exit with its code")
    add("--interval", type=seconds, default=2.0, help="seconds between two looks (default: 2)")
    wait = "seconds to wait for a run that has not begun (default: 600)"
    add("--timeout", type=seconds, default=600.0, help=wait)


def run(args: Namespace) -> int:
    """Print the overviews, or follow one run and return its exit code."""
    if args.follow:
        if len(args.paths) != 1:
            raise PostError("--follow watches one run")
        return _follow.follow(Path(args.paths[0]), args.interval, args.timeout)
    runs = []
    for path in args.paths:
        if sweep.is_sweep(path):
            one = sweep.Sweep(path)
            _sweep.show(one)
            _together(of_sweep(one))
        else:
            runs.append(open_run(path))
            show(runs[-1])
    _together([Training(run) for run in runs if is_training(run)])
    return 0


def _together(trainings: list[Training]) -> None:
    """Print what several trainings are worth, beside each other; nothing for a single one."""
    made = compared(trainings) if len(trainings) > 1 else Table("", (), [])
    table(made.title, made.head, made.rows)
    if made.note:
        print(f"  {made.note}")


def show(run: Run) -> None:
    """Print the overview of a run."""
    print(run.title)
    for name, value in _head(run):
        print(f"  {name:<12} {shown(value)}")
    table("Fields at the last step", ("name", "on", "unit", "minimum", "maximum"), _fields(run))
    made = stages(run)
    table(made.title, made.head, made.rows)
    _summary(run.summary)
    rows = [(n, shorten(", ".join(c), 90, placeholder=" …")) for n, c in run.series_file.columns.items()]
    table("Series", ("name", "columns"), rows)


def _head(run: Run) -> list[tuple[str, str]]:
    """Return the lines on status, provenance, time and mesh."""
    lines = [("folder", str(run.folder)), *_state(run)]
    lines += [(k, _words(run.provenance.get(k, ""))) for k in PROVENANCE]
    if len(run.times):
        grid, first, last = run.mesh(), float(run.times[0]), float(run.times[-1])
        shapes = ", ".join(f"{len(c)} {n}" for n, c in grid.cells.items())
        lines.append(("mesh", f"{len(grid.points)} points, {shapes}"))
        span = f"{len(run.times)}, time {number(first)} to {number(last)}"
        lines.append(("outputs", span if len(run.times) > 1 else f"1, time {number(first)}"))
    return [(k, v) for k, v in lines if v]


def _state(run: Run) -> list[tuple[str, str]]:
    """Return how the run ended and what it cost, or how far it is."""
    s = {k: number(v) for k, v in run.summary.items() if not isinstance(v, dict | list)}
    now = state(run.folder).status
    if now in ("running", "lost") and (run.progress or not s):
        if now == "running":
            return [("status", now), ("progress", words(run.progress).strip())]
        # a dead run has no end to expect
        far = words(run.progress | {"finish": None}).strip()
        return [
            ("status", "interrupted: killed, or its machine went down; go on with --restart"),
            ("progress", far),
        ]
    ask = lambda key: s.get(key, "?")  # noqa: E731
    versions = ", ".join(f"{k} {v}" for k, v in (run.summary.get("versions") or {}).items())
    return [
        ("status", f"{ask('status')} (exit code {ask('exit_code')})"),
        ("message", str(run.summary.get("message") or "")),
        ("size", ", ".join(_count(ask(f"{word}s"), word) for word in ("rank", "unknown", "step"))),
        ("cost", f"{ask('wall_seconds')} s, {ask('peak_memory_mb')} MB peak"),
        ("versions", versions),
    ]


def _fields(run: Run) -> list[tuple[Any, ...]]:
    """Return a row per scalar field and per vector or tensor component."""
    rows: list[tuple[Any, ...]] = []
    for name, place in run.fields.items():
        values = run.field(name)
        columns = values.reshape(len(values), -1)
        # what rounding leaves of a zero component is told as zero
        noise = 1e-13 * float(np.abs(columns).max(initial=0.0))
        for i, part in enumerate(component_names(columns.shape[1])):
            if _repeats(columns, i, noise):
                continue
            column = columns[:, i]
            ends = (float(f(column)) if len(column) else None for f in (np.min, np.max))
            low, high = (0.0 if v is not None and abs(v) <= noise else v for v in ends)
            rows.append((name + part, place, short(run.unit(name)), low, high))
    return rows


def _repeats(columns: np.ndarray, i: int, noise: float) -> bool:
    """Return whether component ``i`` of a tensor is the mirror image of one that stands before it."""
    side = {4: 2, 9: 3}.get(columns.shape[1], 0)
    row, column = divmod(i, side) if side else (0, 0)
    mirrored = columns[:, side * column + row]
    return row > column and bool(np.all(np.abs(columns[:, i] - mirrored) <= noise))


def _summary(summary: dict[str, Any]) -> None:
    """Print the tables of ``summary.json``."""
    units = summary.get("units") or {}
    rows = [(n, v, short(units.get(n, ""))) for n, v in (summary.get("quantities") or {}).items()]
    table("Quantities", ("name", "value", "unit"), rows)
    solver = summary.get("solver") or {}
    table("Solver iterations", ("field", "counts"), [(f, _pairs(v)) for f, v in solver.items()])
    for make in (
        reduced,
        draws,
        tables.fitted,
        tables.guards,
        tables.validation,
        tables.phases,
        tables.placement,
        tables.transfers,
    ):
        made = make(summary)
        table(made.title, made.head, made.rows)
        # these notes tell how well it fits, what gave way, what is worth nothing; others' are for the page
        if make in (draws, tables.fitted, tables.guards, tables.validation) and made.note:
            print(f"  {made.note}")
    head = ("quantity", "measured", "reference", "tolerance", "holds")
    table("Verification", head, tables.verification_rows(summary))


def _count(n: str, word: str) -> str:
    return f"{n} {word}{'s' * (n != '1')}"


def _words(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _pairs(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {number(v)}" for k, v in value.items() if not isinstance(v, dict | list))
    return number(value)
