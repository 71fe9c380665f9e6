"""All oracles over all families of decks; what disagrees is told with its deck."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from pathlib import Path

from oracles import (
    bodies,
    budgets,
    contacts,
    edges,
    exact,
    grids,
    joints,
    limits,
    loops,
    marches,
    moved,
    rewritten,
    rings,
    tables,
    waves,
)
from oracles.cases import Case
from oracles.running import deck_of
from oracles.scalars import scalar
from oracles.solids import solid

GEOMETRIES = ("solid", "plane_strain", "plane_stress", "axisymmetric", "bar", "thermo")
EXACT: dict[str, Callable[[int], Case]] = {
    "heat": partial(scalar, family="heat"), "diffusion": partial(scalar, family="diffusion"),
    **{name: partial(solid, geometry=name) for name in GEOMETRIES},
    "pins": edges.pins, "wires": edges.wires, "spun": bodies.spun, "locked": bodies.locked,
    "ramps": tables.ramps, "circles": loops.circles, "strips": loops.strips,
    "rings": rings.rings, "joints": joints.joints, "seams": joints.seams,
    "contacts": contacts.contacts,
}  # fmt: skip
"""Families with a solution on paper."""
BALANCED: dict[str, Callable[[int], Case]] = {
    "march": budgets.heat, "steady": budgets.steady, "cure": budgets.cure, "work": budgets.work,
    "frame": edges.frame, "tabled": tables.tabled, "carried": grids.carried,
    "marched": marches.marched, "kept": limits.kept,
}  # fmt: skip
"""Families whose budget closes."""
MESHED = {name: make for name, make in BALANCED.items() if name not in ("carried", "marched", "kept")}
STRAIGHT = {name: make for name, make in (EXACT | MESHED).items() if name != "rings"}
"""Families whose bodies may be put into a file, turned, or made of cells of second order."""
ORACLES: dict[str, tuple[Callable[..., list[str]], dict[str, Callable[[int], Case]]]] = {
    "exact": (exact.check, EXACT), "units": (rewritten.dressed, EXACT), "world": (rewritten.world, EXACT),
    "budget": (budgets.check, BALANCED), "moved": (moved.moved, STRAIGHT), "second": (moved.second, STRAIGHT),
    "renumbered": (moved.renumbered, STRAIGHT),
    "mirrored": (waves.check, {"waves": waves.waves}),
    "bounded": (limits.bounded, {name: EXACT[name] for name in ("heat", "diffusion", "wires", "circles")}),
}  # fmt: skip
PAIRS = [(oracle, family) for oracle, (_, families) in ORACLES.items() for family in families]


@dataclass
class Tally:
    """How many decks were judged and refused, and what was wrong."""

    judged: int = 0
    refused: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def campaign(oracle: str, family: str, count: int, folder: Path, first: int = 0) -> Tally:
    """Judge the decks of seeds ``first`` and following of one family by one oracle."""
    from pydantic import ValidationError

    from plexus.errors import PlexusError

    check, families = ORACLES[oracle]
    tally = Tally()
    for seed in range(first, first + count):
        try:
            case = families[family](seed)
        except RuntimeError:  # nothing fixes its level: no deck
            continue
        try:
            with redirect_stdout(StringIO()):
                found = check(case, folder)
        except (PlexusError, ValidationError) as error:
            tally.refused.append(f"{oracle} {family} {seed}: {type(error).__name__}: {error}")
            continue
        tally.judged += 1
        if found:
            deck = json.dumps(deck_of(case))
            tally.wrong.append(f"{oracle} {family} {seed}: " + "; ".join(found[:3]) + f"\n  {deck}")
    return tally
