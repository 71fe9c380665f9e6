"""Physics whose constants are tensors in place of the deck's numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus import registry

if TYPE_CHECKING:
    from torch import Tensor

    from plexus.deck.params import Params


def with_constants(params: Params, **constants: Tensor) -> Any:
    """Return the physics of a deck's block with tensors, 0-d, for some of its numbers.

    Raises
    ------
    ValueError
        If the block has no such number.
    """
    for name in constants:
        if not isinstance(getattr(params, name, None), (int, float)):
            raise ValueError(f"{params.type} has no number {name!r}")
    return registry.build("physics", params.model_copy(update=constants))
