"""When the loads of a deck change: jumps and kinks of its expressions and tables of time, by deck path.

Read are the physics, the closure and what holds on the boundaries: all that a march sees of the deck.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plexus.deck.params import Property
from plexus.deck.walk import Leaf, leaves

if TYPE_CHECKING:
    from plexus.deck.breaks import Breaks
    from plexus.deck.schema import Deck


@dataclass(frozen=True)
class Changes:
    """Times [s] at which loads change, each in rising order.

    Attributes
    ----------
    jumps, kinks : times of jumps, and of mere changes of slope.
    places : deck path -> all times of what stands there.
    unknown : deck path -> comparisons whose times cannot be told.
    """

    jumps: tuple[float, ...] = ()
    kinks: tuple[float, ...] = ()
    places: dict[str, tuple[float, ...]] = field(default_factory=dict)
    unknown: dict[str, tuple[str, ...]] = field(default_factory=dict)


def loads(deck: Deck) -> Iterator[tuple[str, Leaf]]:
    """Yield all that a march reads of the deck, with its path."""
    yield from leaves(deck.physics, "physics")
    yield from leaves(deck.boundary, "boundary")
    yield from leaves(deck.closure, "closure")


def of_time(leaf: Leaf) -> bool:
    """Return whether an expression or a table depends on time."""
    return "t" in leaf.names


def changes(deck: Deck) -> Changes:
    """Return when the loads change between start and end of the march; nothing for a steady deck."""
    if deck.time is None:
        return Changes()
    found = {
        path: _breaks(leaf, deck.time.start, deck.time.end) for path, leaf in loads(deck) if of_time(leaf)
    }
    jumps = {t for b in found.values() for t in b.jumps}
    kinks = {t for b in found.values() for t in b.kinks} - jumps
    return Changes(
        tuple(sorted(jumps)),
        tuple(sorted(kinks)),
        {path: tuple(sorted({*b.jumps, *b.kinks})) for path, b in found.items() if b.jumps or b.kinks},
        {path: b.unknown for path, b in found.items() if b.unknown},
    )


def _breaks(leaf: Leaf, start: float, end: float) -> Breaks:
    """Return the breaks of one expression or table."""
    if not isinstance(leaf, Property):
        return leaf.breaks(start, end)
    if leaf.table is not None:
        from plexus.deck.breaks import Breaks

        return Breaks(kinks=tuple(t for t in leaf.table.xs if start <= t <= end))
    assert leaf.expression is not None, "regions are walked one by one"
    return leaf.expression.breaks(start, end)
