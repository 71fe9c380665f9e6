"""What runs cost, and how far their histories are from those of a reference run.

    cost = ranks (wall - wait)      error = max_t |q - q_ref| / max_t |q_ref|

The cost is that of a whole run, start-up and outputs included; the wait for a core that other programs had is
taken off, so that runs on a busy machine compare. Times are those of the reference.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.errors import PostError
from plexus_post.readers.run import Run

if TYPE_CHECKING:
    import pandas

HISTORY = "quantities"
SAME, EXACT = 1e-9, 1e-12
"""Relative difference below which times are the same, and below which no run errs."""


@dataclass(frozen=True)
class Row:
    """One run beside the reference.

    Attributes
    ----------
    name : label of the run.
    seconds : of its cores.
    offline : seconds of cores that made its reduced model; None where it has none, not a number where the
        folder of the model does not tell.
    errors : relative error of each quantity; empty for the reference.
    ended : how it ended.
    """

    name: str
    seconds: float
    offline: float | None
    errors: dict[str, float]
    ended: str

    @property
    def total(self) -> float:
        """Seconds of cores with those of the reduced model."""
        return self.seconds + (self.offline or 0.0)


def rows(named: dict[str, Run], names: Sequence[str] | None = None, last: bool = False) -> list[Row]:
    """Return the rows of runs, the first of which is the reference.

    Parameters
    ----------
    named
        Label -> run.
    names
        Quantities; all in common in which any run errs by default.
    last
        Errors at the last time instead of the largest ones.

    Raises
    ------
    PostError
        If a run has no summary, was restarted, or lacks a time or a quantity of the reference.
    """
    reference = next(iter(named.values()))
    truth = _history(reference)
    found = {label: _at(run, truth) for label, run in list(named.items())[1:]}
    wanted = list(names or _common(truth, found.values()))
    errors = {
        label: {q: _error(named[label], mine, truth, q, last) for q in wanted}
        for label, mine in found.items()
    }
    # what all runs have right, such as a load, says nothing
    kept = names or [q for q in wanted if any(e[q] > EXACT for e in errors.values())]
    if not kept:
        raise PostError(f"{reference.folder}: no quantity that all runs have, and in which any of them errs")
    told = {label: {q: e[q] for q in kept} for label, e in errors.items()}
    return [_row(label, run, told.get(label, {})) for label, run in named.items()]


def _row(label: str, run: Run, errors: dict[str, float]) -> Row:
    """Return the row of a run; a model that was made in the same launch is taken off its time."""
    seconds, model = core_seconds(run), _model(run)
    offline = _offline(model) if model else None
    if model and offline and _within(run, model):
        seconds -= offline
    code = run.summary.get("exit_code")
    ended = f"{run.summary.get('status')}" + (f" ({code})" if code else "")
    return Row(label, seconds, offline, errors, ended)


def core_seconds(run: Run) -> float:
    """Return the seconds that the cores of a run have worked, ranks (wall - wait).

    Raises
    ------
    PostError
        If its summary does not tell them.
    """
    facts = run.summary
    ranks, wall = facts.get("ranks"), facts.get("wall_seconds")
    if not ranks or not wall:
        raise PostError(f"{run.folder}: no summary.json with ranks and wall_seconds: the run has not ended")
    if "restart" in facts.get("phases", {}):
        raise PostError(f"{run.folder}: restarted, and its summary has only the seconds since then")
    return float(ranks * (wall - (facts.get("core_wait_seconds") or 0.0)))


def _model(run: Run) -> Run | None:
    """Return the folder of `plexus reduce` whose model a run has read."""
    rom = run.deck.get("rom")
    file = rom.get("file") if isinstance(rom, dict) else None
    return Run(Path(file).parent) if isinstance(file, str) else None


def _offline(model: Run) -> float:
    """Return the seconds that made a model; not a number where its folder is gone or tells but a part."""
    try:
        return core_seconds(model)
    except PostError:
        return float("nan")


def _within(run: Run, model: Run) -> bool:
    """Return whether a run has made its model first, in the same process, whose clock its start-up reads."""
    start = (run.summary.get("phases") or {}).get("start-up", {"mean": 0.0})
    whole = model.summary.get("wall_seconds") or np.inf
    return bool(run.deck["rom"].get("offline")) and start["mean"] >= whole


def _history(run: Run) -> pandas.DataFrame:
    """Return the history of the quantities, one row for each time."""
    frame: Any = run.series(HISTORY)
    return frame[~frame.index.duplicated(keep="last")]


def _at(run: Run, truth: pandas.DataFrame) -> pandas.DataFrame:
    """Return the history of a run at the times of the reference.

    Raises
    ------
    PostError
        If it lacks one of them, or goes on for longer.
    """
    frame, times = _history(run), truth.index.to_numpy(float)
    mine = frame.index.to_numpy(float)
    gap = SAME * float(np.abs(times).max(initial=0.0))
    # the first of the run's own times that is not before the reference's
    place = np.searchsorted(mine, times - gap)
    near = mine[np.minimum(place, len(mine) - 1)] if len(mine) else np.full(len(times), np.inf)
    lacking = times[np.abs(near - times) > gap]
    if len(lacking):
        raise PostError(f"{run.folder}: no row at t = {lacking[0]:g} s, where the reference has one")
    if mine[-1] > times[-1] + gap:
        raise PostError(f"{run.folder}: goes on to t = {mine[-1]:g} s, the reference to {times[-1]:g} s")
    return frame.iloc[place]


def _common(truth: pandas.DataFrame, others: Collection[pandas.DataFrame]) -> list[str]:
    """Return the quantities of the reference, not zero throughout, that all runs have."""
    common = [q for q in truth if all(q in frame for frame in others)]
    return [str(q) for q in common if q != "step" and np.nan_to_num(truth[q].to_numpy(float)).any()]


def _error(run: Run, mine: pandas.DataFrame, truth: pandas.DataFrame, name: str, last: bool) -> float:
    """Return the relative error of a quantity where the reference has numbers.

    Raises
    ------
    PostError
        If one of both does not have it, or the run has no number where the reference has one.
    """
    for frame, which in ((truth, "the reference"), (mine, str(run.folder))):
        if name not in frame:
            told = ", ".join(str(q) for q in frame if q != "step")
            tip = "`output: [{type: series, every: ...}]` in the deck gives histories of all quantities"
            raise PostError(f"{which}: no quantity {name!r}; it has {told} ({tip})")
    b, a = truth[name].to_numpy(float), mine[name].to_numpy(float)
    known = np.isfinite(b)
    if not np.nan_to_num(b).any():
        raise PostError(f"{name} of the reference is zero throughout: there is no relative error")
    lost = known & ~np.isfinite(a)
    if lost.any():
        t = truth.index[lost][0]
        raise PostError(f"{run.folder}: {name} is no number at t = {t:g} s, where the reference has one")
    gaps = np.abs(a - b)[known]
    return float((gaps[-1] if last else gaps.max()) / np.abs(b[known]).max())
