"""Solves of linear systems by several methods, as `plexus bench linear` stores them or runs tell them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plexus_post.errors import PostError
from plexus_post.readers.run import open as open_run


@dataclass(frozen=True)
class Solve:
    """One solve.

    Attributes
    ----------
    system, method : names.
    at, along : size, contrast or whatever else grows, and its name; None for nothing.
    work, setup, solve : passes over the matrix, seconds; None where they are not known.
    history : relative residual before each iteration and at the end.
    """

    system: str
    method: str
    at: float | None
    along: str
    iterations: int
    converged: bool
    work: float | None
    setup: float | None
    solve: float | None
    history: Sequence[float]

    @property
    def family(self) -> str:
        """First word of the system's name."""
        return self.system.split()[0]


def read(path: Path) -> list[Solve]:
    """Return the solves of a benchmark's file, or those of a run.

    Raises
    ------
    PostError
        If it holds none.
    """
    found = _of_run(path) if path.is_dir() else _of_bench(path)
    if not found:
        raise PostError(f"{path}: no solve of a linear system in it")
    return found


def _of_bench(path: Path) -> list[Solve]:
    names = Solve.__dataclass_fields__
    try:
        told = json.loads(path.read_text())["solves"]
        return [Solve(**{k: v for k, v in one.items() if k in names}) for one in told]
    except (ValueError, KeyError, TypeError):
        raise PostError(f"{path}: not written by `plexus bench linear`") from None


def _of_run(path: Path) -> list[Solve]:
    """Return the first solve of each unknown; a run tells no work, and seconds of all its solves."""
    run = open_run(path)
    tables: Any = run.series_file
    found = []
    for name in [n for n in tables.columns if n.startswith("krylov/")]:
        table = tables.table(name)
        norms, count = table["norm"].to_numpy(float), table["iteration"].to_numpy(int)
        first = next((k for k in range(1, len(norms)) if count[k] <= count[k - 1]), len(norms))
        history = [float(n / norms[0]) for n in norms[:first]]
        phases = run.summary.get("phases", {})
        setup, solve = (phases.get(phase, {}).get("longest") for phase in ("preconditioner", "krylov"))
        unknown = name.partition("/")[2]
        found.append(Solve(unknown, run.name, None, "", first - 1, True, None, setup, solve, history))
    return found
