"""What a reduced model was made of: supports and material. Its basis and points serve no others.

Modes are zero where the unknown was prescribed, and what holds a body elsewhere does not show in the balance
of forces: the supports bear it. Facts of the file tell the supports by sums over nodes (`plexus.io.places`)
of the projectors Π onto the directions that are prescribed,

    tr Σ Π,    Σ w(node) Π,

and the material as the deck has it, in SI units.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.deck.changes import changes
from plexus.errors import InputError
from plexus.io.places import SAME, summed

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.spaces.lagrange import Space

MATERIAL = ("geometry", "locking", "quadrature", "law")
"""Keys of the physics without which stresses are others; loads are compared by their shapes."""
REMEDY = "reduce this deck, or take the full model"


def supports(space: Space, prescribed: Any) -> list[float]:
    """Return what tells apart which directions of which nodes are prescribed. Collective.

    Parameters
    ----------
    space : Space
        That of the unknown.
    prescribed : Dirichlet
        What is prescribed of it.
    """
    spans = prescribed.span(np.arange(space.n_owned))
    count = space.comm.allreduce(float(np.trace(spans.sum(axis=0))))
    # a rank may own no node, whose width no reshape can find
    return [count, *map(float, summed(space, spans.reshape(len(spans), space.components**2)))]


def material(deck: Deck) -> dict[str, Any]:
    """Return law and kinematics of a deck as plain data in SI units, without density, which loads read.

    Parameters of the deck that these name are among them, with their values.
    """
    from plexus.deck.effective import to_data

    found = {key: value for key, value in to_data(deck.physics).items() if key in MATERIAL}
    law = {key: value for key, value in found.get("law", {}).items() if key not in ("density", "checkpoint")}
    text = json.dumps(found | {"law": law}, default=str)
    named = {name: v for name, v in deck.constants.items() if re.search(rf"\b{name}\b", text)}
    return {"physics": json.loads(text), "parameters": {name: float(v) for name, v in named.items()}}


def require_same(file: str, facts: Mapping[str, Any], held: list[float], deck: Deck) -> None:
    """Refuse a model of other supports or another material; files that do not tell are taken.

    Raises
    ------
    InputError
        If the run has others.
    """
    there = facts.get("supports", held)
    if not np.allclose(held, there, rtol=0, atol=SAME * max(held[0], there[0], 1.0)):
        raise InputError(
            f"rom.file: {file} was made with other supports (values prescribed at other nodes or along other "
            f"directions: {there[0]:.0f} there, {held[0]:.0f} here); {REMEDY}"
        )
    here = material(deck)
    if told := list(changes(facts.get("material", here), here)):
        raise InputError(f"rom.file: {file} was made of another material ({', '.join(told)}); {REMEDY}")
