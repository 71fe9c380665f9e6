"""Whether fields have values at the positions that a deck names; `plexus check` asks without MPI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import at_path
from plexus.protocols import Placed

if TYPE_CHECKING:
    from plexus.deck.schema import Deck


def check(deck: Deck, require: Callable[[np.ndarray], object]) -> None:
    """Call ``require`` with the positions (k, d) of every quantity, output and condition.

    Raises
    ------
    InputError
        What it raises, at the deck path of the positions.
    """
    for path, xs in _positions(deck):
        with at_path(path):
            require(xs)


def _positions(deck: Deck) -> Iterator[tuple[str, np.ndarray]]:
    """Yield deck path and positions."""
    blocks = {f"quantities.{name}": params for name, params in deck.quantities.items()}
    for path, params in (blocks | {f"output[{i}]": params for i, params in enumerate(deck.output)}).items():
        for key, xs in params.positions().items() if isinstance(params, Placed) else ():
            yield f"{path}.{key}", xs
    for i, condition in enumerate(deck.boundary):
        if condition.at is not None:
            yield f"boundary[{i}].at", np.array([condition.at])
