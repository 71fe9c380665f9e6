"""Draws marched by the full model, for the errors of a campaign."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from plexus import registry
from plexus.campaigns.figures import Way, begin_of, output_of
from plexus.compose import compose
from plexus.observers._instants import Instants
from plexus.observers._lives import Lives
from plexus.offline.drawn import deck_of
from plexus.offline.whole import let_go

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context


def marched(
    deck: Deck, ctx: Context, number: int, ways: Mapping[str, Way]
) -> tuple[dict[str, float], float] | None:
    """Return the figures of a draw by the full model, and its CPU time on this rank [s]. Collective.

    None if the march is asked to stop before its end.

    Raises
    ------
    SolveError
        If the full model does not come to the end.
    """
    begin = time.process_time()
    run, output = compose(deck_of(deck, number), ctx), output_of(deck, ways)
    run.observers = []
    instants = None if output is None else Instants(run)
    first = 0.0 if output is None else begin_of(deck)
    if instants is not None and run.clock.t >= first:
        instants.add()
    for state in run.march():
        if instants is not None and state.t >= first:
            instants.add()
    if run.stop_reason:
        return None
    cost = time.process_time() - begin
    found = {n: float(run.quantities[n].evaluate(run)) for n, way in ways.items() if way != "life"}
    if instants is not None:
        lives = Lives(registry.build("life", output.life), output.region)
        lives.judge(instants.points, instants.cycle())
        found |= {n: lives.shortest for n, way in ways.items() if way == "life"}
    del run, instants
    let_go()
    return found, cost
