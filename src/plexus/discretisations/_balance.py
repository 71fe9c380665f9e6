"""Loads that all push one way on a body that nothing holds: no solve is needed to know that there is none.

A steady solution needs ∫ f v dx + ∫ g v ds = 0 for every motion v without energy: nothing else is left of the
weak form for v. Constant loads of one sign along the level of a scalar, or along an axis of a
displacement, never add up to zero, whatever the mesh. Told is only what the numbers of the deck say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from plexus.formulation.terms import accepted
from plexus.formulation.transport import Transport
from plexus.protocols import Doubt, Equation

Load = tuple[str, float | None]
"""Deck path of a load, and its value where it is a number."""
ALONG = ("traction", "force")
"""Boundary terms whose value has one entry per direction."""


def one_sided(deck: Any, equations: Sequence[Equation]) -> Iterator[Doubt]:
    """Yield the first load on each unknown of a steady deck whose loads cannot balance."""
    for equation in equations if deck.closure is None else ():
        for name, loads in _motions(deck, equation):
            there = [(path, value) for path, value in loads if value != 0]
            signs = {None if value is None else value > 0 for _, value in there}
            if len(signs) == 1 and None not in signs:
                text = f"all loads on {name} have one sign, and no condition holds it"
                yield there[0][0], f"{text}: they do not balance, so there is no steady solution"


def _motions(deck: Any, equation: Equation) -> Iterator[tuple[str, list[Load]]]:
    """Yield each motion of an equation that nothing holds, with its loads."""
    field = equation.field.name
    if any(field in condition.normals for condition in deck.boundary):
        return
    terms = list(_terms(deck, equation))
    values = [c.values[field] for c in deck.boundary if field in c.values]
    if isinstance(equation, Transport):
        given = equation.coefficients
        if not values and given.reaction is None and all(kind == "flux" for _, kind, _ in terms):
            yield field, [*_stated("physics.source", given.source), *_of_terms(terms, None)]
    elif equation.near_nullspace == "rigid" and all(kind in ALONG for _, kind, _ in terms):
        for c, axis in enumerate("xyz" if _moves(equation) else ""):
            if not any(v[c] is not None for v in values if c < len(v)):
                yield f"{field}_{axis}", [*_of_volume(equation, c), *_of_terms(terms, c)]


def _moves(equation: Any) -> bool:
    """Return whether a body may move along all axes, under loads that its places do not change."""
    from plexus.formulation.solid import Body

    if not isinstance(equation, Body):
        return False
    # a body of revolution cannot leave its axis, and the force of a rotation depends on places
    return equation.params.geometry != "axisymmetric" and equation.params.rotation is None


def _terms(deck: Any, equation: Equation) -> Iterator[tuple[str, str, Any]]:
    """Yield deck path, kind and parameters of the boundary terms of an equation."""
    kinds = set(accepted(equation.boundary_terms, equation.field.name))
    for i, condition in enumerate(deck.boundary):
        yield from ((f"boundary[{i}].{k}", k, p) for k, p in condition.terms.items() if k in kinds)


def _of_volume(equation: Any, c: int) -> Iterator[Load]:
    """Yield the loads per volume on a body along an axis; a density is positive."""
    for name in ("body_force", "gravity"):
        entries = getattr(equation.params, name) or ()
        yield from (load for entry in entries[c : c + 1] for load in _stated(f"physics.{name}", entry))


def _of_terms(terms: list[tuple[str, str, Any]], c: int | None) -> Iterator[Load]:
    """Yield the loads of boundary terms, along an axis where they have directions."""
    for path, _, params in terms:
        entries = (params.value,) if c is None else params.value[c : c + 1]
        yield from (load for entry in entries for load in _stated(path, entry))


def _stated(path: str, value: Any) -> Iterator[Load]:
    """Yield a load that is there: a number, or what cannot be known."""
    if value is not None:
        yield path, value if isinstance(value, float) else getattr(value, "constant", None)
