"""Which controls make no sense where a deck lives; told by `plexus check`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from plexus import registry

if TYPE_CHECKING:
    from plexus.protocols import Found

NO_CELLS = "there are points and no cells: take a nodal control"


def without_cells(deck: Any) -> Iterator[Found]:
    """Yield fields of cells."""
    for name, params in deck.controls.items():
        if registry.build("control", params).location == "cell":
            yield ("controls", name, "type"), NO_CELLS
