"""The controls of a deck, where a run reads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus import registry
from plexus.deck.walk import everything
from plexus.errors import InputError, at_path
from plexus.protocols import FieldSpec
from plexus.spaces.controls import Controls

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.protocols import Stated
    from plexus.protocols.controls import Ground


def controls_of(deck: Deck, ground: Ground) -> Controls:
    """Return the controls that expressions of the deck read, with the values that they start from.
    Collective.

    Raises
    ------
    InputError
        If a field cannot stand there, or an earlier fit does not belong to the deck.
    """
    members: dict[str, Stated] = {
        name: registry.build("control", params) for name, params in deck.controls.items()
    }
    specs = {n: FieldSpec(n, p.unit, "scalar", f"control: {p.type}") for n, p in deck.controls.items()}
    placed = {}
    for name, member in members.items():
        with at_path(f"controls.{name}"):
            placed[name] = member.place(ground)
    found = Controls(placed, specs, ground)
    for name, member in members.items():
        with at_path(f"controls.{name}"):
            start = member.begin(ground)
            file = deck.controls[name].fitted
            found.put({name: start if file is None else _stored(file, name, member, ground, start)})
    return found


def unchanging(deck: Deck, *blocks: Any) -> bool:
    """Return whether blocks of a deck read neither time nor controls."""
    known = {"t", *deck.controls}
    return all(known.isdisjoint(leaf.names) for _, leaf in everything(blocks, ""))


def _stored(file: str, name: str, member: Stated, ground: Ground, start: np.ndarray) -> np.ndarray:
    """Return the values of an earlier fit, those of fields by their places.

    Raises
    ------
    InputError
        If the file holds no such control, or one of another size or mesh.
    """
    from plexus.io.fitted import read

    values, places = read(Path(file), name)
    if places is None:
        if values.shape != start.shape:
            raise InputError(f"fitted: {file} holds {len(values)} numbers, the control has {len(start)}")
        return values
    return matched(ground.points(member.location), places, values, file)


def matched(x: np.ndarray, places: np.ndarray, values: np.ndarray, file: str) -> np.ndarray:
    """Return values at positions (n, d) that are among the places (k, d), (n, 1).

    Raises
    ------
    InputError
        If a position is none of them.
    """
    size = max(float(np.ptp(places, axis=0).max(initial=0.0)), 1e-300)

    def keys(points: np.ndarray) -> list[tuple[int, ...]]:
        return [tuple(row) for row in np.rint((points - places.min(axis=0)) / size * 1e7).astype(np.int64)]

    known = dict(zip(keys(places), values, strict=True))
    found = [known.get(key) for key in keys(x)]
    if any(value is None for value in found):
        raise InputError(f"fitted: {file} belongs to another mesh")
    return np.array(found, dtype=float).reshape(-1, 1)
