"""Degree of the elements where the deck leaves it to mesh and model, and what to say of a choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from plexus.mesh.cells import reference


def degree_of(physics: Any, order: int) -> int:
    """Return the degree of the elements on cells of an order: the deck's, else what cells and model need."""
    given = getattr(physics, "degree", None)
    return max(order, getattr(physics, "least_degree", 1)) if given is None else given


def cautions(physics: Any, cell: str, order: int) -> Iterator[str]:
    """Yield, with deck paths in front, what is allowed and seldom wanted.

    Raises
    ------
    InputError
        If the model does not go with elements of this degree on such cells.
    """
    degree = degree_of(physics, order)
    if degree < order:
        yield (
            f"physics.degree: elements of degree {degree} cannot follow the curved cells of degree {order} "
            "of this mesh, not even a uniform gradient; leave `degree` out, or use 2"
        )
    own = getattr(physics, "cautions", None)
    if own is not None:
        yield from own(degree, cell, reference(cell).simplex)
