"""What can be said about a deck's closure before a run: needs neither torch nor MPI."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plexus.errors import InputError
from plexus.protocols import ClosureSetting

Found = tuple[tuple[str, ...], str]
"""Place in the deck, and what is wrong there."""


def problems(cls: Any, params: Any, setting: ClosureSetting) -> Iterator[Found]:
    """Yield what of a closure does not fit the model, its time step, or its own bundle."""
    closure, metadata = cls(params), None
    if getattr(params, "checkpoint", None) is not None:
        try:
            metadata = _metadata(closure, params)
        except InputError as error:
            yield _place(str(error)), str(error)
            return
    yield from _order(closure, params.type, setting)
    if metadata is not None:
        yield from _range(params, metadata, setting)


def _metadata(closure: Any, params: Any) -> dict[str, Any]:
    """Return what the bundle says, after the comparisons that loading it makes."""
    from plexus.bundles import container

    found = container.read(params.checkpoint, params.sha256)
    closure.take(found.metadata)
    return found.metadata


def _place(text: str) -> tuple[str, ...]:
    """Return whether the file or the hash beside it is wrong."""
    return ("closure", "sha256" if "sha256: the deck says" in text else "checkpoint")


def _order(closure: Any, name: str, setting: ClosureSetting) -> Iterator[Found]:
    """Yield the order that does not go with what the closure gives."""
    closes = 2 if closure.closes == "st" else closure.closes
    if closes is None or setting.order + 1 == closes:
        return
    what = "S:T" if closure.closes == "st" else f"f_{closes}"
    yield (
        ("closure", "type"),
        f"{name} gives {what}, for physics.order {closes - 1}; order {setting.order} needs "
        f"f_{setting.order + 1}",
    )


def _range(params: Any, metadata: dict[str, Any], setting: ClosureSetting) -> Iterator[Found]:
    """Yield what the bundle was not trained for: a longer step, and constants if the policy is to stop."""
    from plexus.closures._learned import out_of_range

    for text in out_of_range(metadata, setting):
        path, _, said = text.partition(": ")
        if path == "stepping.dt":
            yield ("time", "step"), f"the closure was {said}"
        elif params.guard.outside == "stop":
            yield ("physics", path.rpartition(".")[2]), f"the closure was {said}, and guard.outside is stop"
