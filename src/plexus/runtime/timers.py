"""Wall time per phase of a run. Phases may nest; a phase is charged only for its own time.

The clock starts with the process, so that the interpreter, the imports and the start of MPI count as well;
what no phase claims is the phase ``other``. The phases of a rank therefore add up to its whole wall time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

START, OTHER = "start-up", "other"
"""Phases that every run has: until the deck is built, and what belongs to no phase."""
NEGLIGIBLE = 5e-4
"""Share of the run below which a phase is not worth a line."""


class Watcher(Protocol):
    """A profiler that is told of phases, e.g. `plexus.runtime.profile.Stages`."""

    def enter(self, name: str) -> None:
        """Begin a phase."""

    def leave(self, name: str) -> None:
        """End it."""


@dataclass(frozen=True)
class Phase:
    """Calls and seconds of one phase: the slowest rank and the mean over ranks."""

    name: str
    calls: int
    longest: float
    mean: float

    @property
    def imbalance(self) -> float:
        """The slowest rank over the mean; 1 when all ranks take the same time."""
        return self.longest / self.mean if self.mean > 0 else 1.0


class Timers:
    """Stop watches by phase name: ``with timers("assembly"): ...``.

    Attributes
    ----------
    begin : when the clock started [s on the monotonic clock]; now by default.
    seconds, calls : own time and number of each phase.
    first : when each phase was first entered [s since `begin`].
    watchers : profilers that are told of each phase.
    """

    def __init__(self, begin: float | None = None) -> None:
        self.begin = time.monotonic() if begin is None else begin
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        self.first: dict[str, float] = {}
        self.watchers: list[Watcher] = []
        self._inner = [0.0]

    @property
    def elapsed(self) -> float:
        """Seconds since the clock started."""
        return time.monotonic() - self.begin

    def started(self) -> None:
        """Charge what no phase has claimed so far to the start-up."""
        self._charge(START, self.elapsed - sum(self.seconds.values()))

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time the block; time spent in phases inside it is charged to those."""
        start = time.monotonic()
        self.first.setdefault(name, start - self.begin)
        self._inner.append(0.0)
        for watcher in self.watchers:
            watcher.enter(name)
        try:
            yield
        finally:
            for watcher in reversed(self.watchers):
                watcher.leave(name)
            total = time.monotonic() - start
            # own time = whole time - time of the phases inside; the phase around learns of the whole
            own = total - self._inner.pop()
            self._inner[-1] += total
            self._charge(name, own)

    def _charge(self, name: str, seconds: float) -> None:
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.calls[name] = self.calls.get(name, 0) + 1

    def own(self) -> dict[str, float]:
        """Return the seconds of all phases of this rank, with what is left as ``other``."""
        return self.seconds | {OTHER: max(0.0, self.elapsed - sum(self.seconds.values()))}

    def phases(self, comm: Comm) -> list[Phase]:
        """Return all phases of all ranks, the longest first. Collective."""
        every = comm.allgather((self.own(), self.calls))
        names = {name for seconds, _ in every for name in seconds}
        found = []
        for name in names:
            times = [seconds.get(name, 0.0) for seconds, _ in every]
            calls = max(calls.get(name, 0) for _, calls in every)
            found.append(Phase(name, calls, max(times), sum(times) / len(times)))
        return sorted(found, key=lambda p: (p.name == OTHER, -p.longest, p.name))

    def table(self, phases: list[Phase]) -> str:
        """Return the phases as a table of text for the end of a log, without those that took no time.

        Columns that compare ranks are there when there are several.
        """
        # the phases of each rank add up to its whole time, so their means add up to the mean whole time
        total = sum(p.mean for p in phases)
        several = any(p.longest != p.mean for p in phases)
        head, gap = (f"{'slowest':>12}", f"{'imbalance':>11}") if several else ("", "")
        rows = [f"{'phase':<16}{'calls':>8}{head}{'mean' if several else 'time':>12}{gap}{'share':>8}"]
        for p in phases:
            share = p.mean / total if total > 0 else 0.0
            if share < NEGLIGIBLE and p.longest < NEGLIGIBLE * total:
                continue
            slowest, imbalance = (f"{p.longest:>10.3f} s", f"{p.imbalance:>11.2f}") if several else ("", "")
            rows.append(f"{p.name:<16}{p.calls or '':>8}{slowest}{p.mean:>10.3f} s{imbalance}{share:>8.1%}")
        whole = f"{'whole run':<16}{'':>8}{' ' * len(head)}{total:>10.3f} s{' ' * len(gap)}{1:>8.1%}"
        return "\n".join([*rows, whole])


_ASKED: list[float] = []


def process_begin() -> float:
    """Return when this process was started [s on the monotonic clock].

    It is now where the system does not tell, and for every further run of the same process.
    """
    now = time.monotonic()
    _ASKED.append(now)
    if len(_ASKED) > 1:
        return now
    try:
        # field 22 of the line, the 20th behind the name in brackets: clock ticks since the machine's start
        words = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        ticks = int(words[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks
    except (OSError, AttributeError, ValueError, IndexError):
        return now
    return now - age if 0 <= age < 3600 else now
