"""Wall time per phase of a run. Phases may nest; a phase is charged only for its own time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


@dataclass(frozen=True)
class Phase:
    """Calls and seconds of one phase: the slowest rank and the mean over ranks."""

    name: str
    calls: int
    longest: float
    mean: float


class Timers:
    """Stop watches by phase name: ``with timers("assembly"): ...``."""

    def __init__(self) -> None:
        self.begin = time.monotonic()
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        self._inner = [0.0]

    @property
    def elapsed(self) -> float:
        """Seconds since the timers were made."""
        return time.monotonic() - self.begin

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time the block; time spent in phases inside it is charged to those."""
        start = time.monotonic()
        self._inner.append(0.0)
        try:
            yield
        finally:
            total = time.monotonic() - start
            # own time = whole time - time of the phases inside; the phase around learns of the whole
            own = total - self._inner.pop()
            self._inner[-1] += total
            self.seconds[name] = self.seconds.get(name, 0.0) + own
            self.calls[name] = self.calls.get(name, 0) + 1

    def phases(self, comm: Comm) -> list[Phase]:
        """Return all phases of all ranks, the longest first. Collective."""
        every = comm.allgather((self.seconds, self.calls))
        names = {name for seconds, _ in every for name in seconds}
        found = []
        for name in names:
            times = [seconds.get(name, 0.0) for seconds, _ in every]
            calls = max(calls.get(name, 0) for _, calls in every)
            found.append(Phase(name, calls, max(times), sum(times) / len(times)))
        return sorted(found, key=lambda p: (-p.longest, p.name))

    def table(self, phases: list[Phase]) -> str:
        """Return the phases as a table of text for the end of a log."""
        total = self.elapsed
        rows = [f"{'phase':<16}{'calls':>8}{'slowest':>12}{'mean':>12}{'share':>8}"]
        for p in phases:
            share = p.mean / total if total > 0 else 0.0
            rows.append(f"{p.name:<16}{p.calls:>8}{p.longest:>10.3f} s{p.mean:>10.3f} s{share:>8.1%}")
        return "\n".join([*rows, f"{'whole run':<16}{'':>8}{total:>10.3f} s"])
