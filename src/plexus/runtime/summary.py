"""``summary.json`` and ``progress.json``: what a script asks a run folder first."""

from __future__ import annotations

import json
import resource
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from plexus.fileformat import PROGRESS, SUMMARY, from_json
from plexus.runtime.context import Context
from plexus.runtime.files import write_json
from plexus.runtime.provenance import versions

Status = Literal["done", "degraded", "stopped", "failed"]
STOPPED = 75
"""Exit code of a run that stopped early with a checkpoint: submit again."""

EMPTY: dict[str, Any] = {
    "unknowns": 0,
    "steps": 0,
    "quantities": {},
    "units": {},
    "solver": {},
    "transfers": {},
    "guards": {},
    "verification": [],
}
"""Entries that every summary has, whatever became of the run."""


def peak_memory_mb(ctx: Context) -> float:
    """Return the largest resident size of any rank so far [MB]. Collective."""
    from mpi4py import MPI

    mine = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return float(ctx.comm.allreduce(mine, MPI.MAX))


def first_step(ctx: Context) -> float:
    """Return when the last rank began its first solve [s since the start of the process]. Collective."""
    from mpi4py import MPI

    return float(ctx.comm.allreduce(ctx.timers.first.get("solve", 0.0), MPI.MAX))


def waited(ctx: Context) -> float | None:
    """Return how long the ranks were ready but had no core [s, mean]; None if the system does not tell.

    A rank that shares its core with other programs measures their work as its own time. Collective.
    """
    try:
        # three numbers: nanoseconds on a core, nanoseconds in the queue for one, turns
        mine = int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        mine = float("nan")
    mean = float(ctx.comm.allreduce(mine)) / ctx.comm.size
    return None if mean != mean else round(mean, 3)


def write_summary(ctx: Context, status: Status, exit_code: int, facts: dict[str, Any]) -> dict[str, Any]:
    """Write ``summary.json`` and return its content. Collective: timers and memory are reduced.

    ``facts`` are the run's own entries (see `EMPTY`), e.g. steps, quantities, solver.

    Raises
    ------
    OutputError
        On rank 0 if the file cannot be written.
    """
    phases = ctx.timers.phases(ctx.comm)
    content = {
        "status": status,
        "exit_code": exit_code,
        "ranks": ctx.comm.size,
        **EMPTY,
        **facts,
        "wall_seconds": round(ctx.timers.elapsed, 3),
        "phases": {p.name: {"longest": p.longest, "mean": p.mean, "calls": p.calls} for p in phases},
        "core_wait_seconds": waited(ctx),
        "first_step_seconds": round(first_step(ctx), 3),
        "peak_memory_mb": round(peak_memory_mb(ctx), 1),
        "placement": ctx.placement,
        "versions": versions(),
    }
    if ctx.root:
        write_json(ctx.folder / SUMMARY, content)
    return content


def write_failure(ctx: Context, exit_code: int, message: str) -> None:
    """Record a failure in ``summary.json`` from the one rank that speaks; talks to no other rank."""
    # no reduction: the other ranks may be gone or stuck
    timers = ctx.timers
    own = {
        name: {"longest": s, "mean": s, "calls": timers.calls.get(name, 0)}
        for name, s in timers.own().items()
    }
    write_json(
        ctx.folder / SUMMARY,
        {
            "status": "failed",
            "exit_code": exit_code,
            "ranks": ctx.comm.size,
            **EMPTY,
            **ctx.told,
            "wall_seconds": round(ctx.timers.elapsed, 3),
            "phases": own,
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
            "placement": ctx.placement,
            "versions": versions(),
            "message": message,
        },
    )
    # a reader of the progress must not wait for a run that has failed
    with suppress(OSError, ValueError):
        known = from_json(json.loads((ctx.folder / PROGRESS).read_text()))
        write_json(ctx.folder / PROGRESS, known | {"status": "failed", "finish": None}, durable=False)


CENTURY = 36525 * 86400.0
"""The longest rest of a run for which a date is given [s]."""


def write_progress(
    ctx: Context, *, step: int, t: float, share: float, left: float | None, status: str = "running"
) -> None:
    """Write ``progress.json`` (one rank only): status, step, time [s], share done, wall time, finish date.

    ``left`` is the expected rest of the run [s], None if unknown. The first of many growing steps may promise
    centuries, which is no date.
    """
    now = datetime.now(UTC)
    finish = (
        None
        if left is None or left > CENTURY
        else (now + timedelta(seconds=left)).isoformat(timespec="seconds")
    )
    write_json(
        ctx.folder / PROGRESS,
        {
            "status": status,
            "step": step,
            "t": t,
            "share": round(share, 6),
            "wall_seconds": round(ctx.timers.elapsed, 3),
            "updated": now.isoformat(timespec="seconds"),
            "finish": finish,
        },
        durable=False,
    )
