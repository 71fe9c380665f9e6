"""What can be said about a deck's learned part before a run: needs neither torch nor MPI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from plexus.bundles import container
from plexus.errors import InputError
from plexus.learned.box import away, beyond, generated_with
from plexus.learned.guard import in_effect
from plexus.learned.ports import Properties, fills, in_words, names
from plexus.protocols import Plain, Setting

STRETCH = 1.5
"""Ratio to the step of the training's data from which a run's step is told."""

Place = tuple[str, ...]
Found = tuple[Place, str]
"""Place in the deck, and what is wrong there."""


class Unprepared(Protocol):
    """A part as the deck describes it, before it has a network."""

    def misfit(self, setting: Setting) -> str | None:
        """Return why the part is not for a model, None where it is."""

    def take(self, metadata: Plain) -> None:
        """Check that the metadata of a bundle describe this part."""


def problems(part: Unprepared, params: Any, setting: Setting, at: Place) -> Iterator[Found]:
    """Yield what of a learned part does not fit the model, its time step, or its own bundle.

    ``at`` is the part's deck path.
    """
    metadata = None
    if params.checkpoint is not None:
        try:
            metadata = container.read(params.checkpoint, params.sha256).metadata
            part.take(metadata)
        except InputError as error:
            # either the hash is wrong or the file that it stands for
            key = "sha256" if isinstance(error, container.WrongHash) else "checkpoint"
            yield (*at, key), str(error)
            return
    wrong = part.misfit(setting)
    if wrong:
        yield (*at, "type"), wrong
    if metadata is not None:
        yield from _range(params, metadata, setting, at)


def _range(params: Any, metadata: Plain, setting: Setting, at: Place) -> Iterator[Found]:
    """Yield what the bundle was not trained for: a longer step, and constants if the policy is to stop."""
    for found in beyond(metadata, setting):
        if found.path == "stepping.dt":
            yield ("time", "step"), f"the {at[-1]} was {found.said}"
        elif params.guard.outside == "stop":
            place = "physics", found.path.rpartition(".")[2]
            yield place, f"the {at[-1]} was {found.said}, and guard.outside is stop"


def doubts(params: Any, setting: Setting, at: Place) -> Iterator[Found]:
    """Yield place and text of what a bundle was not trained for, where the run may go on all the same."""
    if params.checkpoint is None or params.guard.outside == "stop":
        return
    metadata = container.read(params.checkpoint, params.sha256).metadata
    for found in beyond(metadata, setting):
        if found.path != "stepping.dt":
            name = found.path.rpartition(".")[2]
            effect = in_effect(params.guard, away(metadata, name, setting.constants[name]))
            yield ("physics", name), f"the {at[-1]} was {found.said}; {effect}"
    step = generated_with(metadata)
    if step is not None and setting.dt is not None and setting.dt > STRETCH * step:
        text = f"was trained on states {step:g} s apart, the run takes steps of up to {setting.dt:g} s"
        yield ("time", "step"), f"the {at[-1]} {text}"


def misfit(name: str, properties: Properties, setting: Setting) -> str | None:
    """Return why a part does not give what a model leaves open, None where it does.

    A setting that tells nothing of a model fits every part.
    """
    if not setting.missing or fills(properties.outputs, setting):
        return None
    given = " and ".join(names(properties.outputs))
    return f"{name} gives {given}; the model leaves {in_words(setting.missing)} open"
