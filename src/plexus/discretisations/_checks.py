"""Whether the stepper takes the equations of a model on elements: how many, what they remember, passes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plexus import registry
from plexus.protocols import Choosy, Found, Remembers, Repeats


def problems(deck: Any) -> Iterator[Found]:
    """Yield what does not go together in a deck that is valid otherwise."""
    yield from steppers(deck)
    yield from memory(deck)
    yield from passes(deck)


def steppers(deck: Any) -> Iterator[Found]:
    """Yield why the stepper does not take the equations, or the steps that the controller chooses."""
    if deck.time is None:
        return
    time, cls = deck.time, registry.component("physics", deck.physics.type).cls
    control = registry.component("controller", time.control.type).cls
    tolerance = control(time.control, time.step, time.end - time.start).tolerance
    stepper = registry.build("stepper", time.stepper, tolerance)
    if isinstance(stepper, Choosy):
        evolving = [e for e in cls(deck.physics).equations if e.time_order > 0]
        why = stepper.refusal([tuple(spec.name for spec in e.fields) for e in evolving])
        if why is not None:
            yield ("time", "stepper"), why


def memory(deck: Any) -> Iterator[Found]:
    """Yield the stepper that cannot advance what the equations remember at their quadrature points."""
    cls: Any = registry.component("physics", deck.physics.type).cls
    if deck.time is None:
        return
    stepper = registry.build("stepper", deck.time.stepper, None)
    kept = stepper.memory if isinstance(stepper, Remembers) else None
    for equation in cls(deck.physics).equations:
        what = ", ".join(spec.name for spec in equation.internal)
        if what and kept is None:
            others = "use theta, bdf2 or quasistatic"
            yield (
                ("time", "stepper"),
                f"{deck.time.stepper.type} cannot advance internal variables ({what}); {others}",
            )
        elif what and kept == "smooth" and equation.time_order and not equation.smooth:
            text = f"{what} follows a path and cannot be extrapolated from a stage inside the step"
            yield ("time", "stepper"), f"{text}; use theta: 1, bdf2 or quasistatic"


def passes(deck: Any) -> Iterator[Found]:
    """Yield why equations cannot be iterated within a step."""
    if deck.coupling is None:
        return
    cls: Any = registry.component("physics", deck.physics.type).cls
    if len(cls(deck.physics).equations) < 2:
        yield ("coupling",), f"{deck.physics.type} is one system: there are no equations to iterate between"
    if deck.time is not None and not isinstance(registry.build("stepper", deck.time.stepper, None), Repeats):
        name = deck.time.stepper.type
        yield (
            ("time", "stepper"),
            f"{name} cannot repeat a step for `coupling`; use theta, bdf2 or quasistatic",
        )
