"""Whole runs with one line changed: our preset of BoomerAMG, then the multigrid on aggregates.

Both march the same deck, round by round in turn. Linear solvers are the phases ``preconditioner`` and
``krylov`` of the run, taken as CPU seconds of this process, so that other processes hardly matter; what is
held to a bound is the median of the ratios of all rounds. The decks stay in `FOLDER` for ``plexus run``, and
what their runs say in its log.
"""

from __future__ import annotations

import io
import time
from contextlib import redirect_stdout
from copy import deepcopy
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import yaml
from mpi4py import MPI

from plexus.bench.linear.grids import Found
from plexus.bench.linear.report import FOLDER as RESULTS
from plexus.bench.linear.whole import MESHES, Case, cases
from plexus.bench.table import Row
from plexus.compose import compose
from plexus.deck.load import load
from plexus.runtime import context
from plexus.runtime.files import write_text

THEIRS, OURS = "hypre", "aggregation"
PHASES = ("preconditioner", "krylov")
FOLDER = RESULTS / "runs"
BOUNDS = {"grid": 1.0, "Gmsh": 1.2}
"""Seconds over those of our preset, by kind of cells."""
SAME = 1e-5
"""Largest difference of answers over the largest value, where linear systems are solved to 1e-6."""


class Clock:
    """Watches phases of a run: CPU seconds of each without those of phases inside."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._last = 0.0

    def enter(self, name: str) -> None:
        """Charge the phase around, and begin."""
        self._charge()
        self._open.append(name)

    def leave(self, name: str) -> None:
        """Charge the phase that ends."""
        self._charge()
        self._open.pop()

    def _charge(self) -> None:
        now = time.process_time()
        if self._open:
            name = self._open[-1]
            self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now


@dataclass(frozen=True)
class Marched:
    """A finished run.

    Attributes
    ----------
    setup, krylov : CPU seconds.
    counts : of its solves, as `plexus.solvers.monitors.Tally` tells them.
    states : of each step, name of an unknown or internal variable -> array.
    unknowns : their number.
    """

    setup: float
    krylov: float
    counts: dict[str, Any]
    states: list[dict[str, np.ndarray]]
    unknowns: int

    @property
    def seconds(self) -> float:
        """CPU seconds of linear solvers."""
        return self.setup + self.krylov


def runs() -> Found:
    """Return the rows of all decks, where the meshes of ``input_decks`` are."""
    if not MESHES.is_dir():
        return [], [Row("whole runs", None, "", peer=f"there is no {MESHES}: start it where the decks are")]
    return [], [row for case in cases() for row in rows(case, measured(case))]


def measured(case: Case) -> list[dict[str, Marched]]:
    """Return what each round has found by preconditioner."""
    names = (THEIRS, OURS)
    return [{name: marched(case, name) for name in names[:: (-1) ** k]} for k in range(case.rounds)]


def marched(case: Case, preconditioner: str) -> Marched:
    """Run a deck as a user does, but for its outputs."""
    path = FOLDER / f"{case.name.replace(', ', '_').replace(' ', '_')}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, yaml.safe_dump(case.deck(preconditioner), sort_keys=False))
    clock = Clock()
    with redirect_stdout(io.StringIO()):
        ctx = context.create(MPI.COMM_SELF, path.parent)
        ctx.timers.watchers.append(clock)
        run = compose(load(path), ctx)
        run.observers = []
        states = [deepcopy({**s.values, **s.internal}) for s in run.march()]
    (solver,) = run.system.solvers.values()
    setup, krylov = (clock.seconds.get(name, 0.0) for name in PHASES)
    return Marched(setup, krylov, solver.tally.summary(), states, solver.target.size)


def rows(case: Case, rounds: list[dict[str, Marched]]) -> list[Row]:
    """Return the ratio of seconds and the difference of the answers of a deck, each held to its bound."""
    ratio, bound = median(r[OURS].seconds / r[THEIRS].seconds for r in rounds), BOUNDS[case.kind]
    size = f"{case.kind}, {rounds[0][OURS].unknowns:,} unknowns"
    said = "; ".join([size, _said(OURS, rounds), _said(THEIRS, rounds)])
    apart, where = max(_apart(r[OURS].states, r[THEIRS].states) for r in rounds)
    return [
        Row(f"{case.name}: seconds over BoomerAMG ours", ratio, "x", bound, ratio <= bound, said),
        Row(f"{case.name}: difference of the answers", apart, "", SAME, apart <= SAME, where),
    ]


def _said(name: str, rounds: list[dict[str, Marched]]) -> str:
    """Return counts and medians of the seconds of a preconditioner in words."""
    mine = [r[name] for r in rounds]
    setup, krylov, counts = median(m.setup for m in mine), median(m.krylov for m in mine), mine[0].counts
    return f"{name} {counts['total']} iterations in {counts['newton']} solves, {setup:.2f} + {krylov:.2f} s"


def _apart(ours: list[dict[str, np.ndarray]], theirs: list[dict[str, np.ndarray]]) -> tuple[float, str]:
    """Return the largest difference over the largest value in all steps, and the variable that has it."""
    found = []
    for name in theirs[0]:
        a, b = (np.stack([state[name] for state in states]) for states in (ours, theirs))
        found.append((float(abs(a - b).max() / (abs(b).max() or 1.0)), name))
    return max(found)
