"""What a benchmark reports: rows of one measured number each, beside its bound and its peer."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line of a benchmark's table, as it is written into its JSON file.

    Parameters
    ----------
    item
        What was measured.
    measured
        The number; None when it could not be measured.
    unit
        Its unit; ``x`` for a ratio.
    bound
        What it is compared with; None for a number that is only reported.
    holds
        Whether the bound holds; None when there is no bound or no measurement.
    peer
        What the other side of the comparison is, or why it is missing.
    """

    item: str
    measured: float | None
    unit: str
    bound: float | None = None
    holds: bool | None = None
    peer: str | None = None


def table(rows: Sequence[Row]) -> str:
    """Return rows as aligned text."""
    head = ("what", "measured", "bound", "holds", "peer")
    lines = [head, *(_cells(r) for r in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    return "\n".join(
        "  ".join([*(c.ljust(w) for c, w in zip(line, widths, strict=False)), line[4]]).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    measured = "-" if row.measured is None else f"{row.measured:.4g} {row.unit}"
    holds = {None: "", True: "yes", False: "NO"}[row.holds]
    bound = "" if row.bound is None else f"{row.bound:.4g}"
    return row.item, measured, bound, holds, row.peer or ""


def machine() -> dict[str, Any]:
    """Return what the numbers depend on: processor, cores, memory, load, system."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in _lines(info) if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(memory, 1),
        "load": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []
