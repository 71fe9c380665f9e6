"""Whether mesh, stepper, outputs and quantities belong to the kind of model that the physics is.

A model on elements needs a mesh of cells and a stepper for weak forms; one in Fourier space a periodic grid
and a stepper for split models. What has a meaning on one of them only is refused on the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from plexus import registry

Found = tuple[tuple[Any, ...], str]
"""Place in the deck, and what is wrong there."""
WORDS = {"elements": "on elements", "spectral": "in Fourier space"}


def mismatches(data: dict[str, Any]) -> Iterator[Found]:
    """Yield the blocks of a deck's plain data that do not go with its physics."""
    physics = name_of(data.get("physics"))
    if physics not in registry.names("physics"):
        return
    kind = registry.discretisation("physics", physics)
    for loc, slot, name in _named(data):
        if name in registry.names(slot) and registry.discretisation(slot, name) not in (kind, "any"):
            yield loc, f"{name!r} is not for {physics}, which works {WORDS[kind]}{_instead(slot, kind)}"
    if kind == "elements":
        yield from _only_spectral(data, physics)
    else:
        yield from _only_elements(data, physics)


def name_of(block: Any) -> str:
    """Return the ``type`` of a component block in either of its forms; empty if there is none."""
    name = block.get("type") if isinstance(block, dict) else block
    return name if isinstance(name, str) else ""


def _named(data: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], str, str]]:
    """Yield place, kind and name of the components that depend on the kind of model."""
    yield _place("mesh", data.get("mesh")), "mesh", name_of(data.get("mesh"))
    time = data.get("time")
    stepper = time.get("stepper") if isinstance(time, dict) else None
    yield _place("time", "stepper", stepper), "stepper", name_of(stepper)
    quantities, outputs = data.get("quantities"), data.get("output")
    for key, block in quantities.items() if isinstance(quantities, dict) else ():
        yield _place("quantities", key, block), "quantity", name_of(block)
    for i, block in enumerate(outputs if isinstance(outputs, list) else ()):
        yield _place("output", i, block), "output", name_of(block)


def _place(*parts: Any) -> tuple[Any, ...]:
    """Return the place of a component's name, from its path and its block."""
    *path, block = parts
    return (*path, "type") if isinstance(block, dict) else tuple(path)


def _instead(slot: str, kind: str) -> str:
    """Return which members of a kind would do."""
    members = [n for n in registry.names(slot) if registry.discretisation(slot, n) in (kind, "any")]
    return f"; use {' or '.join(members)}" if slot in ("mesh", "stepper") else ""


def _only_elements(data: dict[str, Any], physics: str) -> Iterator[Found]:
    """Yield the blocks that a model in Fourier space cannot have, and what it cannot do without."""
    for key, why in (("boundary", "a periodic box has no boundaries"), ("solver", "nothing is assembled")):
        if data.get(key):
            yield (key,), f"{physics} works {WORDS['spectral']}: {why}"
    if data.get("closure") and not hasattr(registry.component("physics", physics).cls, "to_close"):
        yield ("closure",), f"{physics} has nothing to close"
    time = data.get("time")
    if time is None:
        yield ("physics",), f"{physics} marches in time: the deck needs a block `time`"
    elif isinstance(time, dict) and "stepper" not in time:
        yield ("time",), f"stepper is missing: {physics} needs one of{_instead('stepper', 'spectral')[5:]}"


def closure_problems(deck: Any) -> Iterator[Found]:
    """Yield what does not fit between closure, physics and time step of a deck that is valid otherwise."""
    cls: Any = registry.component("physics", deck.physics.type).cls
    if deck.closure is None or not hasattr(cls, "to_close") or deck.time is None:
        return
    time, learned = deck.time, "checkpoint" in type(deck.closure).model_fields
    if learned and deck.closure.checkpoint is None and not getattr(deck, "train", None):
        yield ("closure", "type"), f"checkpoint is missing: {deck.closure.type} is learned; name its bundle"
    longest = time.step if time.adaptive is None else time.adaptive.max or time.end - time.start
    setting = replace(cls.to_close(deck.physics), dt=longest, integrator=time.stepper.type)
    closure: Any = registry.component("closure", deck.closure.type).cls
    yield from closure.problems(deck.closure, setting)


def training_problems(deck: Any) -> Iterator[Found]:
    """Yield the times of a training's frames that its steps do not meet."""
    if deck.train is None or deck.time is None:
        return
    for block in ("frames", "validation_frames"):
        frames = getattr(deck.train, block)
        for key in ("start", "every") if frames is not None else ():
            t = getattr(frames, key)
            steps = t / deck.time.step
            if abs(steps - round(steps)) > 1e-6 * max(steps, 1):
                text = f"{t:g} s is {steps:.6g} steps of {deck.time.step:g} s; frames are at whole steps"
                yield ("train", block, key), text


def _only_spectral(data: dict[str, Any], physics: str) -> Iterator[Found]:
    """Yield the blocks that a model on elements cannot have."""
    if data.get("closure"):
        yield ("closure",), f"{physics} has nothing to close"
