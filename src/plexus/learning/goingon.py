"""With which deck a training goes on: what it has done stays as it was, what is to come may change.

======================================== ============================================================
may change                               must stay
======================================== ============================================================
stages to come: all of them, more, fewer stages that are done
`steps` of the stage that is under way   its other keys; not fewer steps than were taken
validation, output, widen                part, data, loss and seed of the training
limits of the guard                      mesh, physics, the closure otherwise, step and stepper
ranks                                    of controls: these, boundary, initial values, time
about, runtime, job, what a run is       initial weights (`closure.checkpoint`, `closure.seed`)
======================================== ============================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import yaml

from plexus.deck.changes import changes
from plexus.deck.parts import CONTROLS
from plexus.errors import InputError

if TYPE_CHECKING:
    from plexus.learning.session import Position

FIXED = ("mesh", "physics", "closure", "time.step", "time.stepper", "train.part", "train.data",
         "train.loss", "train.seed")  # fmt: skip
"""Paths of the deck that say what a training is, with all below them."""
SOLVED = ("controls", "boundary", "initial", "parameters", "samples", "coupling", "time")
"""Those that the runs of a training of controls depend on, beside these."""
FREE = (
    "closure.guard.outside",
    "closure.guard.max_fraction",
    "closure.guard.patience",
    "closure.guard.margin",
)
STAGES = "train.stages"
Stages = list[dict[str, Any]]


def going_on(earlier: str, present: str, position: Position) -> list[str]:
    """Return how the deck has changed since a training was interrupted or done, one line each.

    Parameters
    ----------
    earlier, present
        Texts of the effective decks.
    position
        Where the training stands.

    Raises
    ------
    InputError
        With the deck path of each change with which the training cannot go on.
    """
    old, new = yaml.safe_load(earlier) or {}, yaml.safe_load(present) or {}
    told = [line for line in changes(old, new) if not line.startswith(STAGES)]
    tops = (*FIXED, *SOLVED) if (old.get("train") or {}).get("part") == CONTROLS else FIXED
    wrong = [f"{line}: the training has begun with the other" for line in told if _fixed(line, tops)]
    before, now = _stages(old), _stages(new)
    wrong += _undone(before, now, position)
    if wrong:
        raise InputError("\n".join([*wrong, "a training with these changes begins anew, without --restart"]))
    return told + list(_differences(before, now))


def _differences(before: Stages, now: Stages) -> Iterator[str]:
    """Yield how stages differ, one line each."""
    for n, (old, new) in enumerate(zip(before, now, strict=False)):
        yield from changes(old, new, f"{STAGES}[{n}]")
    for n, stage in list(enumerate(before))[len(now) :]:
        yield f"{STAGES}[{n}]: left out ({stage['type']}, {stage['steps']} steps)"
    for n, stage in list(enumerate(now))[len(before) :]:
        yield f"{STAGES}[{n}]: more ({stage['type']}, {stage['steps']} steps)"


def _stages(deck: Mapping[str, Any]) -> Stages:
    return list((deck.get("train") or {}).get("stages") or [])


def _fixed(line: str, fixed: tuple[str, ...]) -> bool:
    """Return whether a change, told as ``path: old -> new``, is below one of the ``fixed`` paths."""
    path = line.partition(":")[0]

    def below(tops: tuple[str, ...]) -> bool:
        return any(path == top or path.startswith((f"{top}.", f"{top}[")) for top in tops)

    return below(fixed) and not below(FREE)


def _undone(before: Stages, now: Stages, position: Position) -> Iterator[str]:
    """Yield what would make steps that were taken others than the deck says."""
    begun = position.stage < len(before) and bool(position.step or position.round)
    for n in range(min(position.stage + begun, len(before))):
        path = f"{STAGES}[{n}]"
        if n >= len(now):
            yield f"{STAGES}: stage {n + 1} is missing, and the training has taken it"
            continue
        under_way = n == position.stage
        for line in changes(before[n], now[n], path):
            if not (under_way and line.startswith(f"{path}.steps:") and _longer(now[n], position)):
                yield f"{line}: stage {n + 1} {'is under way' if under_way else 'is done'} with the other"


def _longer(stage: Mapping[str, Any], position: Position) -> bool:
    """Return whether a stage that is under way may have this number of steps."""
    return not position.round and int(stage["steps"]) >= position.step
