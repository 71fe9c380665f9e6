"""Whether mesh, stepper, outputs and quantities go with the discretisation of the physics.

Steppers need something of a system, quantities and outputs of its fields, and a discretisation offers some of
that; it builds on one kind of mesh source. What does not go together is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck import parts
from plexus.deck.discretisation import USUAL, made_for, serves
from plexus.errors import InputError

if TYPE_CHECKING:
    from plexus.deck.time import Time
    from plexus.protocols import Discretisation, Found, Gap, Setting

EMPTY: dict[str, Any] = {"boundary": [], "solver": {}, "controls": {}}
"""Blocks that say nothing when they are empty; of others an empty one stands for all defaults."""


def mismatches(data: dict[str, Any]) -> Iterator[Found]:
    """Yield the blocks of a deck's plain data that do not go with its physics."""
    physics = name_of(data.get("physics"))
    if physics not in registry.names("physics"):
        yield from _without_mesh(data, registry.component("discretisation", USUAL).cls)
        return
    here = made_for(physics)
    for loc, slot, name in _named(data):
        if name in registry.names(slot) and not serves(slot, name, here):
            yield loc, f"{name!r} is not for {physics}, which works {here.words}{_instead(slot, here)}"
    for key, why in here.blocks.items():
        if data.get(key) not in (None, EMPTY.get(key)):
            yield (key,), f"{physics} works {here.words}: {why}"
    if data.get("closure") and not parts.leaves_open(physics):
        yield ("closure",), f"{physics} has nothing to close"
    yield from _without_mesh(data, here)
    yield from _without_time(data, physics, here)


def _without_mesh(data: dict[str, Any], here: Any) -> Iterator[Found]:
    """Yield the block that a model in space cannot do without."""
    if here.mesh is not None and data.get("mesh") is None:
        yield ("mesh",), "required but missing: where the mesh comes from"


def _without_time(data: dict[str, Any], physics: str, here: Discretisation) -> Iterator[Found]:
    """Yield what a model that marches lacks: the block ``time``, or a stepper other than the usual one."""
    time = data.get("time")
    if time is None and not here.steady:
        yield ("physics",), f"{physics} marches in time: the deck needs a block `time`"
    if not isinstance(time, dict) or "stepper" in time:
        return
    from plexus.deck.time import Time

    if not serves("stepper", str(Time.model_fields["stepper"].default), here):
        yield ("time",), f"stepper is missing: {physics} needs one of{_instead('stepper', here)[5:]}"


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
    controller = time.get("controller") if isinstance(time, dict) else None
    yield _place("time", "controller", controller), "controller", name_of(controller)
    yield _place("rom", data.get("rom")), "rom", name_of(data.get("rom"))
    yield _place("reduce", data.get("reduce")), "reduction", name_of(data.get("reduce"))
    quantities, outputs = data.get("quantities"), data.get("output")
    for key, block in quantities.items() if isinstance(quantities, dict) else ():
        yield _place("quantities", key, block), "quantity", name_of(block)
    for i, block in enumerate(outputs if isinstance(outputs, list) else ()):
        yield _place("output", i, block), "output", name_of(block)


def _place(*parts: Any) -> tuple[Any, ...]:
    """Return the place of a component's name, from its path and its block."""
    *path, block = parts
    return (*path, "type") if isinstance(block, dict) else tuple(path)


def _instead(slot: str, here: Discretisation) -> str:
    """Return which members of a kind would do."""
    members = [n for n in registry.names(slot) if serves(slot, n, here)]
    return f"; use {' or '.join(members)}" if slot in ("mesh", "stepper", "controller") and members else ""


def part_problems(deck: Any) -> Iterator[Found]:
    """Yield what does not fit between learned parts, closure, physics and time step of a valid deck."""
    gap, time = parts.gap(deck.physics), deck.time
    for path, params in parts.untrained(deck).items() if deck.train is None else ():
        key = getattr(params, "weights_key", "checkpoint")
        text = f"{key} is missing: {params.type} is learned; name its bundle"
        yield (*path.split("."), "type"), text
    for path, params in parts.learned(deck):
        # a closure is asked with what its model leaves open
        if path != "closure":
            from plexus.protocols import Setting

            cls: Any = parts.component(params).cls
            # a preconditioner's `problems` are about the fields of its system
            found = getattr(cls, "unsound", None) or cls.problems
            setting = cls.surroundings(deck) if hasattr(cls, "surroundings") else Setting()
            if params.checkpoint is not None or setting.missing:
                yield from found(params, setting, tuple(path.split(".")))
    if deck.closure is None or time is None:
        return
    if gap is None:
        if parts.leaves_open(deck.physics.type):
            yield ("closure",), f"{deck.physics.type} has nothing to close"
        return
    closure: Any = registry.component("closure", deck.closure.type).cls
    yield from closure.problems(deck.closure, _setting(gap, time), ("closure",))


def reduced_problems(deck: Any) -> Iterator[Found]:
    """Yield what members of kinds ``rom`` and ``reduction`` do not take of a valid deck."""
    here = made_for(deck.physics.type)
    for block, kind in (("rom", "rom"), ("reduce", "reduction")):
        params = getattr(deck, block)
        if params is None or not serves(kind, params.type, here):
            continue
        cls: Any = registry.component(kind, params.type).cls
        # not every member has something to say
        if hasattr(cls, "problems"):
            yield from cls.problems(deck)


def reduced_doubts(deck: Any) -> Iterator[Found]:
    """Yield what the member of kind ``rom`` tells of a valid deck."""
    cls: Any = None if deck.rom is None else registry.component("rom", deck.rom.type).cls
    if hasattr(cls, "doubts"):
        yield from cls.doubts(deck)


def _setting(gap: Gap, time: Time) -> Setting:
    """Return what a closure of a deck is asked for."""
    controller: Any = registry.component("controller", time.control.type).cls
    longest = controller.longest(time.control, time)
    return gap.setting(dt=longest, integrator=time.stepper.type)


def part_doubts(deck: Any) -> Iterator[Found]:
    """Yield what of a valid deck its closure was not trained for."""
    gap = parts.gap(deck.physics)
    if deck.closure is None or deck.time is None or gap is None or deck.train is not None:
        return
    closure: Any = registry.component("closure", deck.closure.type).cls
    # a closure of another package need not tell of any
    if hasattr(closure, "doubts"):
        yield from closure.doubts(deck.closure, _setting(gap, deck.time), ("closure",))


def training_problems(deck: Any) -> Iterator[Found]:
    """Yield what a training cannot have: a part that is none, stages that ask more than the data give."""
    train = deck.train
    if train is None:
        return
    if deck.ensemble is not None:
        yield ("ensemble",), "the runs of a training hold one member: give its data several seeds"
    needed = "targets"
    try:
        needed = _judged_by(deck)
    except InputError as error:
        yield ("train", "part"), str(error)
    for key, params in (("data", train.data), ("validation", train.validation)):
        if params is not None:
            for place, text in _class("data", params).problems(params, deck):
                yield ("train", key, *place), text
    if train.validation is not None and needed not in _offers(train.validation.type):
        what = "answers" if needed == "targets" else needed
        yield ("train", "validation", "type"), f"{train.validation.type} has no {what} to judge by"
    for n, stage in enumerate(train.stages):
        for place, text in _stage_problems(stage, deck):
            yield ("train", "stages", str(n), *place), text


def _stage_problems(stage: Any, deck: Any) -> Iterator[Found]:
    """Yield what does not go with one stage of a training."""
    cls, data = _class("stage", stage), _class("data", deck.train.data)
    yield from cls.problems(stage, deck)
    missing = sorted(cls.needs(stage, deck.train.loss) - data.offers)
    if missing:
        able = [n for n in registry.names("data") if set(missing) <= _offers(n)]
        hint = f"; {' or '.join(able)} has" if able else ""
        text = f"{stage.type} needs {', '.join(missing)}, which data of type {deck.train.data.type} lack"
        yield ("type",), text + hint


def _judged_by(deck: Any) -> str:
    """Return what the validation of a deck's training must have.

    Raises
    ------
    InputError
        If the deck has no part that is trained.
    """
    if deck.train.part == parts.CONTROLS:
        return "targets"
    cls: Any = parts.component(parts.trained(deck)[1]).cls
    return str(cls.judged_by)


def _class(kind: str, params: Any) -> Any:
    return registry.component(kind, params.type).cls


def _offers(name: str) -> frozenset[str]:
    cls: Any = registry.component("data", name).cls
    return frozenset(cls.offers)
