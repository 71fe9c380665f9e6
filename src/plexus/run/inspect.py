"""Whether the deck's material data fit the result: tables, properties that vanish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from plexus.deck.params import Property
from plexus.deck.places import expressions
from plexus.deck.walk import properties

if TYPE_CHECKING:
    from plexus.run import Run


def locking(run: Run) -> list[str]:
    """Return a warning where an expression of Poisson's ratio comes close to 1/2. Collective.

    What the deck states as numbers is known before the run.
    """
    physics, found = run.deck.physics, list[str]()
    locks = getattr(physics, "locks", None)
    if locks is None or not physics.can_lock:
        return found
    for path, prop in properties(physics.solid.poisson_ratio, f"physics.{physics.holder}.poisson_ratio"):
        if prop.expression is not None and prop.names:
            nu = _largest(run, prop)
            found += [] if (text := locks(nu)) is None else [f"{path}: {text}"]
    return found


def _top(values: np.ndarray) -> float:
    """Return the largest value, minus infinity without any."""
    return float(np.max(values, initial=-np.inf))


def vanishing(run: Run) -> list[str]:
    """Return a line for each property of the physics, sources aside, that is zero everywhere. Collective."""
    found = []
    for path, prop in properties(run.deck.physics, "physics"):
        # what the deck does not mention is meant to be zero
        stated = any(place.startswith(path) for place in run.deck.origins)
        if stated and not path.endswith("source") and _largest(run, prop) == 0:
            found.append(f"{path}: is zero everywhere; does it leave the equation without a solution?")
    return found


def lost(run: Run) -> list[str]:
    """Return which expressions had no finite value at the last evaluations, on any rank. Collective."""
    noted = [expression.noted for _, expression in expressions(run.deck) if expression.noted]
    return sorted({text for texts in run.ctx.comm.allgather(noted) for text in texts})[:5]


def _largest(run: Run, prop: Property) -> float:
    """Return the largest magnitude of a property; that of regions is told region by region. Collective."""
    if prop.expression is None:
        return max((abs(y) for y in prop.table.ys), default=0.0) if prop.table else np.inf
    value = run.fields.evaluate(prop.expression.text)[2] if prop.names else np.array(prop.constant)
    return float(run.ctx.comm.allreduce(_top(np.abs(value)), op=MPI.MAX))


def _everywhere(run: Run) -> Iterator[tuple[str, Property, Any]]:
    """Yield every property of the physics and of the boundary terms, with path and nodes where it is used."""
    for path, prop in properties(run.deck.physics, "physics"):
        yield path, prop, slice(None)
    # one numbering of nodes serves all unknowns on elements
    space = next(iter(run.system.body.spaces.values()))
    for i, condition in enumerate(run.deck.boundary):
        nodes = space.facet_nodes(condition.on) if condition.terms else None
        for kind, params in condition.terms.items():
            for path, prop in properties(params, f"boundary[{i}].{kind}"):
                yield path, prop, nodes


def beyond_tables(run: Run) -> list[str]:
    """Return a warning for each table that the present state leaves, or the run left before. Collective.

    What an unknown was on the way to a solution tells nothing: only what the deck prescribes is held against
    earlier times.
    """
    found = []
    for path, prop, nodes in _everywhere(run):
        if prop.table is None:
            continue
        array = run.fields.evaluate(prop.table.of)[2][nodes]
        low, high = (run.ctx.comm.allreduce(_top(sign * array), op=MPI.MAX) * sign for sign in (-1, 1))
        first, last = prop.table.xs[0], prop.table.xs[-1]
        given = getattr(run.deck.physics, prop.table.of, None) is not None
        left = run.ctx.comm.allreduce(prop.outside) > 0 and given
        if low < prop.table.reach[0] or high > prop.table.reach[1]:
            found.append(
                f"{path}: {prop.table.of} reaches from {low:.6g} to {high:.6g}, beyond the table "
                f"({first:.6g} to {last:.6g}); its end values were used there"
            )
        elif left:
            found.append(
                f"{path}: {prop.table.of} has been beyond the table ({first:.6g} to {last:.6g}); its end "
                "values were used there"
            )
    return found
