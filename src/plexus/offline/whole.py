"""Models that are made in one go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plexus.errors import SolveError

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
