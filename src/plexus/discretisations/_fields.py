"""Which controls make no sense where a deck lives, or hardly; told by `plexus check`."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING, Any

from plexus import registry

if TYPE_CHECKING:
    from plexus.protocols import Doubt, Found

NO_CELLS = "there are points and no cells: take a nodal control"


def without_cells(deck: Any) -> Iterator[Found]:
    """Yield fields of cells."""
    for name, params in deck.controls.items():
        if registry.build("control", params).location == "cell":
            yield ("controls", name, "type"), NO_CELLS


def unreached(deck: Any) -> Iterator[Doubt]:
    """Yield tables with knots that a run never comes near to."""
    low, high = (0.0, 0.0) if deck.time is None else (deck.time.start, deck.time.end)
    for name, params in deck.controls.items():
        knots = registry.build("control", params).kinks
        # the hat of a knot reaches to its neighbours; the first and the last one go on beyond theirs
        lost = [
            t
            for before, t, after in zip((-inf, *knots), knots, (*knots[1:], inf), strict=False)
            if (before >= high and before > -inf) or (after <= low and after < inf)
        ]
        if lost:
            text = f"the run goes from {low:g} to {high:g} s: no data tell of the values at"
            yield f"controls.{name}.knots", f"{text} {', '.join(f'{t:g} s' for t in lost)}"
