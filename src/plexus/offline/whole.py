"""Models that are made of many runs, in one go."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from plexus.devices import memory
from plexus.errors import InputError, SolveError

if TYPE_CHECKING:
    from plexus.run import Run


def require_end(run: Run) -> None:
    """Refuse to make a model of a run that has stopped before its end.

    Raises
    ------
    SolveError
        On all ranks, if it has.
    """
    if run.stop_reason:
        raise SolveError(
            f"reduce: the run stopped at t = {run.clock.t:.6g} s ({run.stop_reason}), and this model is made "
            "in one go: give it more time"
        )


def require_held(run: Run, name: str) -> None:
    """Refuse prescribed values other than zero. Collective.

    Raises
    ------
    InputError
        On all ranks, if the deck has some.
    """
    from plexus.reduction.lifts import Lifts
    from plexus.reduction.times import sampled

    if Lifts(run.system, name, sampled(run.deck)).count:  # type: ignore[arg-type]
        raise InputError(
            "reduce: a model of many runs takes no prescribed values other than 0: load the body by forces"
        )


def let_go() -> None:
    """Free what holds itself: solvers of runs that are done, batches of points. Collective, as they are.

    The system gets it back: what comes next takes other sizes, and would not fit into the gaps.
    """
    gc.collect()
    memory.give_back()
