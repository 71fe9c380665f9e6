"""What a deck says of supports and loads, by the names of places, as far as it is known without a mesh.

place -> directions,    x, y, z or `normal`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from plexus.reduction.terms import LINEAR, TAKEN

if TYPE_CHECKING:
    from plexus.deck.conditions import Condition
    from plexus.deck.schema import Deck

Places = dict[str, list[str]]
"""Names of places, each with its directions in the order of the alphabet."""
BODY = "the body"
VOLUME = ("body_force", "gravity", "rotation")
"""Keys of the physics with forces per volume."""
NORMAL = "normal"


def held(deck: Deck, unknown: str, dim: int) -> Places:
    """Return where and along which directions an unknown is prescribed, in ``dim`` dimensions."""
    return _places(deck, lambda c: _prescribed(c, unknown, dim, lambda entry: entry is not None))


def moved(deck: Deck, unknown: str, dim: int) -> Places:
    """Return where something else than zero is prescribed."""
    return _places(deck, lambda c: _prescribed(c, unknown, dim, _acts))


def loaded(deck: Deck, dim: int) -> Places:
    """Return where loads act; forces per volume have the name `BODY`."""
    physics: Any = deck.physics
    body = {*_axes(physics.body_force or (), dim), *_axes(physics.gravity or (), dim)}
    body |= {"rotation"} if physics.rotation is not None else set()
    return ({BODY: sorted(body)} if body else {}) | _places(deck, lambda c: _pulled(c, dim))


def _prescribed(condition: Condition, unknown: str, dim: int, wanted: Callable[[Any], bool]) -> set[str]:
    normal = condition.normals.get(unknown)
    along = {NORMAL} if normal is not None and wanted(normal) else set()
    values = condition.values.get(unknown, ())[:dim]
    return along | {axis for axis, entry in zip("xyz", values, strict=False) if wanted(entry)}


def _pulled(condition: Condition, dim: int) -> set[str]:
    """Return the directions in which terms pull that are given; a pressure has that of the normal."""
    found: set[str] = set()
    for kind, params in condition.terms.items():
        if kind in TAKEN and kind not in LINEAR:
            many = isinstance(params.value, tuple)
            found |= _axes(params.value, dim) if many else {NORMAL} if _acts(params.value) else set()
    return found


def _axes(entries: Any, dim: int) -> set[str]:
    return {axis for axis, entry in zip("xyz", entries[:dim], strict=False) if _acts(entry)}


def _acts(entry: Any) -> bool:
    """Return whether a number, property or expression is something else than zero."""
    return entry is not None and getattr(entry, "constant", entry) != 0


def _places(deck: Deck, directions: Callable[[Condition], set[str]]) -> Places:
    found: dict[str, set[str]] = {}
    for condition in deck.boundary:
        for place in names(condition):
            found.setdefault(place, set()).update(directions(condition))
    return {place: sorted(along) for place, along in sorted(found.items()) if along}


def names(condition: Condition) -> Iterator[str]:
    """Yield the names of the places of a condition; a position is told by its coordinates [m]."""
    if condition.at is not None:
        yield f"({', '.join(f'{x:g}' for x in condition.at)})"
    side = f" from {condition.on.side}" if condition.on.side else ""
    yield from (f"{name}{side}" for name in condition.on)
