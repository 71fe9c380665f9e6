"""The block `campaign`: what is told of every draw of a sweep that one reduced model marches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from plexus.deck.params import Field, Params
from plexus.deck.places import expressions
from plexus.deck.suggest import nearest
from plexus.fileformat import DRAW
from plexus.protocols import Found

PLACE = ("sweep", "sample")


class Campaign(Params):
    """What `plexus campaign` does with the draws of ``sweep: {mode: draws}``.

    One reduced model (block `rom`) marches all of them. Each has a row in the table `draws` of ``series.h5``;
    ``summary.json`` has medians and quantiles.
    """

    quantities: tuple[str, ...] = Field(
        (), description="quantities of the deck that every draw has; empty: all that a campaign can give"
    )
    check: int = Field(0, ge=0, description="draws that the full model marches too, for their errors")
    places: int = Field(
        400, ge=1, description="points at which lives and the largest values of the memory are looked for"
    )
    outside: Literal["refuse", "allow"] = Field(
        "refuse",
        description="draws beyond tables of the law or data of the criterion: end with code 5, or degraded",
    )
    batch: int = Field(50, ge=1, description="draws that are marched at once")


def problems(deck: Any) -> Iterator[Found]:
    """Yield what draws of a deck's sweep cannot be, where they shall be marched by one model."""
    sweep, block = deck.sweep, deck.campaign
    if sweep is None or sweep.mode != "draws":
        yield ("campaign",), "a campaign marches draws, and the deck has no `sweep: {mode: draws}`"
        return
    if block.check > sweep.samples:
        yield ("campaign", "check"), f"{block.check} are more than the {sweep.samples} draws of the sweep"
    for i, name in enumerate(block.quantities):
        if name not in deck.quantities:
            hint = nearest(name, deck.quantities, 10) or "; the deck has no quantities"
            yield ("campaign", "quantities", i), f"no quantity is called {name!r}{hint}"
    for name in block.quantities or deck.quantities:
        if name in DRAW:
            yield ("quantities", name), f"{name!r} is a column of every campaign; choose another name"
    if deck.time is None:
        yield ("campaign",), "a campaign marches in time, and the deck is steady"
    elif deck.time.adaptive is not None:
        yield ("time", "adaptive"), "draws of a campaign take the same steps: let them be fixed"
    for key in ("refresh", "correct"):
        if getattr(deck.rom, key, None):
            yield ("rom", key), "draws of a campaign are marched together and without it: leave it out"
    yield from _held(deck)
    yield from _misread(deck)


def _held(deck: Any) -> Iterator[Found]:
    """Yield what holds a body in a way that draws do not know."""
    for i, condition in enumerate(deck.boundary):
        for name, parts in condition.values.items():
            if any(part is not None and part.constant != 0.0 for part in parts):
                yield ("boundary", i, name), "draws of a campaign know no prescribed values other than zero"
        if "spring" in condition.terms:
            yield ("boundary", i, "spring"), "draws of a campaign know no springs"


def _misread(deck: Any) -> Iterator[Found]:
    """Yield samples that reach no nodal control, and controls that reach more than the material."""
    sample, read = deck.sweep.sample, set[str]()
    for path, expression in expressions(deck):
        block, _, rest = path.partition(".")
        if sample in expression.bound:
            if block != "controls":
                yield PLACE, f"{path} reads {sample!r}: what a campaign draws are nodal controls only"
            else:
                read.add(rest.partition(".")[0])
    for name in sorted(read):
        if deck.controls[name].type != "nodal":
            yield (
                ("controls", name),
                f"a campaign draws nodal controls, and this one is {deck.controls[name].type}",
            )
    if sample in deck.samples and not read:
        yield PLACE, f"no nodal control reads {sample!r}, so that all draws would be alike"
    for path, expression in expressions(deck):
        loads = path.startswith(("boundary", "physics.rotation", "physics.body_force"))
        if loads and (names := read & expression.names):
            yield PLACE, f"{path} reads {min(names)}: draws of a campaign have the same loads, but for heat"
