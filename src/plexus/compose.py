"""From a deck to a `Run`: the only place where names become objects.

The discretisation of the physics makes mesh, system and initial values; stepper, quantities and observers
are the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.discretisation import made_for
from plexus.deck.loads import changes
from plexus.deck.parts import untrained
from plexus.errors import InputError, at_path
from plexus.fields.state import State
from plexus.io.lineage import Lineage
from plexus.run import Run, marching, stepper_of
from plexus.stepping.events import Events

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.protocols import Controller, Stepper
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
    clock, controller = marching(deck)
    stepper = stepper_of(deck, controller.tolerance)
    for path in untrained(deck):
        raise InputError(f"{path}: not trained yet: `plexus train` makes a bundle, which a run then names")
    mesh, system, values = made_for(deck.physics.type).assemble(deck, ctx, clock.t)
    if deck.rom is not None:
        system, values = registry.build("rom", deck.rom).reduce(system, values, deck)
    for path, part in system.parts.items():
        # what is said of closures is among the deck's doubts
        for text in part.beyond if path not in system.closures else ():
            ctx.log.info(f"warning: {path}: {text}")
    state = State(values, clock.t, internal=system.begin())
    events, lineage = _events(deck, controller, stepper), Lineage.fresh(ctx.comm)
    run = Run(
        system, state, clock, stepper, controller,
        deck=deck, ctx=ctx, mesh=mesh, lineage=lineage, events=events, traced=_traced,
    )  # fmt: skip
    run.quantities = {name: registry.build("quantity", p) for name, p in deck.quantities.items()}
    _prepare(run)
    named = [registry.build("output", p) for p in deck.output]
    run.places = {observer: f"output[{i}]" for i, observer in enumerate(named)}
    run.observers = _observers(deck, named)
    return run


def _traced(run: Run, own: Mapping[str, Any]) -> Run:
    """Return a run at its beginning, on tensors."""
    from plexus.run.trace import Trace

    return Trace.of(run, own)


def _prepare(run: Run) -> None:
    """Let quantities find what they look at, so that a mistake is told before the first solve. Collective."""
    for name, quantity in run.quantities.items():
        with at_path(f"quantities.{name}"):
            quantity.prepare(run)


def _observers(deck: Deck, named: Sequence[Any]) -> list[Any]:
    """Return the outputs that the deck names and those that every run has; checkpoints come last.

    When a checkpoint appears, the other files then hold the step that it continues from.
    """
    observers, usual = [*named], dict(made_for(deck.physics.type).usual)
    if deck.rom is not None:
        # histories of a reduced model make no fields
        usual["series"] = {**usual.get("series", {}), "fields": False}
    for name in ALWAYS:
        if not any(p.type == name for p in deck.output):
            default = registry.component("output", name)
            observers.append(default.cls(default.params(**usual.get(name, {}))))
    last = registry.component("output", "checkpoint").cls
    return sorted(observers, key=lambda o: isinstance(o, last))


def _events(deck: Deck, controller: Controller, stepper: Stepper) -> Events:
    """Return the times that steps must hit, and those of jumps.

    Fixed steps hit what the deck names only. A method without order in time looks at no rate: it takes the
    loads of the time itself.
    """
    if deck.time is None or not stepper.marches:
        return Events()
    found = changes(deck)
    jumps = found.jumps if stepper.order else ()
    if controller.fixed:
        return Events(deck.time.hit, jumps)
    return Events((*deck.time.hit, *found.jumps, *found.kinks), jumps, found.kinks)
