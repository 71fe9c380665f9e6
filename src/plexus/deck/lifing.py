"""What outputs `cycles` and shortest lives need of the rest of the deck."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.suggest import nearest
from plexus.deck.tables import period_of
from plexus.errors import InputError

if TYPE_CHECKING:
    from plexus.deck.context import Context
    from plexus.protocols import Found

WHY = {
    "plastic_strain": "the law has no plastic strain, so that no cycle dissipates anything",
    "temperature": "the physics has no temperature",
    "young_modulus": "the law has no Young's modulus",
}


def problems(deck: Any, context: Context) -> Iterator[Found]:
    """Yield outputs `cycles` without a period, stress or data, and lives without such an output."""
    known = context.field_names()
    cyclic = {o.name: o for o in deck.output if o.type == "cycles"}
    for i, output in enumerate(deck.output):
        if output.type == "cycles":
            yield from ((("output", i, *loc), text) for loc, text in _problems(output, deck, known))
    for name, quantity in deck.quantities.items():
        if quantity.type != "shortest_life":
            continue
        output = cyclic.get(quantity.output)
        if output is None:
            called = f"no output `cycles` is called {quantity.output!r}{nearest(quantity.output, cyclic)}"
            none = "the deck has no output of type `cycles`, whose lives this tells: give one with `life`"
            yield ("quantities", name, "output"), called if cyclic else none
        elif output.life is None:
            yield ("quantities", name, "output"), f"the output {output.name!r} has no `life`"


def _problems(output: Any, deck: Any, known: set[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what one output lacks."""
    period = period_of(deck.tables)
    if period is None:
        yield (), "no table of the deck has a period, so there is no cycle to look at: give one `period`"
    elif deck.time is None or deck.time.end - deck.time.start < period * (1 - 1e-9):
        yield (), f"the run ends before the first cycle of {period:g} s does"
    elif output.last is None and output.each > (cycles := round((deck.time.end - deck.time.start) / period)):
        yield ("each",), f"the run has {cycles} cycles, none of them is a multiple of {output.each}"
    if not {"stress", "strain", "young_modulus"} <= known:
        yield (), f"{deck.physics.type} has no stress at points: take elastoviscoplastic"
    elif output.life is not None:
        try:
            needs = registry.build("life", output.life).needs
        except InputError as error:
            yield ("life",), str(error)
            return
        for field in sorted(needs - known):
            yield ("life",), f"{output.life.type} needs {field}: {WHY.get(field, 'the physics has none')}"
