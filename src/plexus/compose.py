"""From a deck to a `Run`: the only place where names become objects.

The discretisation of the physics makes mesh, system and initial values; stepper, quantities and observers
are the same for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.discretisation import made_for
from plexus.errors import at_path
from plexus.fields.state import State
from plexus.run import Run, stepper_of
from plexus.stepping.clock import Clock
from plexus.stepping.controller import Adaptive, Fixed, Limits

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context

ALWAYS = ("series", "progress", "checkpoint")
"""Outputs that a run has even if its deck does not name them."""


def compose(deck: Deck, ctx: Context) -> Run:
    """Return the run that a deck describes. Collective.

    Raises
    ------
    InputError
        If the deck does not fit the mesh or this machine.
    """
    clock, stepper, controller = _stepping(deck)
    mesh, system, values = made_for(deck.physics.type).assemble(deck, ctx, clock.t)
    state = State(values, clock.t, internal=system.begin())
    run = Run(deck, ctx, mesh, system, state, clock, stepper, controller)
    run.quantities = {name: registry.build("quantity", p) for name, p in deck.quantities.items()}
    _prepare(run)
    named = [registry.build("output", p) for p in deck.output]
    run.places = {observer: f"output[{i}]" for i, observer in enumerate(named)}
    run.observers = _observers(deck, named)
    return run


def _prepare(run: Run) -> None:
    """Let quantities find what they look at, so that a mistake is told before the first solve. Collective."""
    for name, quantity in run.quantities.items():
        if hasattr(quantity, "prepare"):
            with at_path(f"quantities.{name}"):
                quantity.prepare(run)


def _observers(deck: Deck, named: Sequence[Any]) -> list[Any]:
    """Return the outputs that the deck names and those that every run has; checkpoints come last.

    When a checkpoint appears, the other files then hold the step that it continues from.
    """
    observers, usual = [*named], made_for(deck.physics.type).usual
    for name in ALWAYS:
        if not any(p.type == name for p in deck.output):
            default = registry.component("output", name)
            observers.append(default.cls(default.params(**usual.get(name, {}))))
    last = registry.component("output", "checkpoint").cls
    return sorted(observers, key=lambda o: isinstance(o, last))


def _stepping(deck: Deck) -> tuple[Clock, Any, Any]:
    """Return clock, stepper and step control; without a ``time`` block one steady step."""
    time, stepper = deck.time, stepper_of(deck)
    if time is None:
        return Clock(0.0, 0.0), stepper, Fixed(0.0)
    adaptive = time.adaptive
    # a steady stepper inside a time block solves once, under the loads of the start time
    if not stepper.marches:
        return Clock(time.start, time.start), stepper, Fixed(0.0)
    clock = Clock(time.start, time.end)
    if adaptive is None:
        return clock, stepper, Fixed(time.step)
    return clock, stepper, Adaptive(time.step, Limits(adaptive.min, adaptive.max or time.end - time.start))
