"""Oracle: Burgers' equation on a ring of cells: momentum stays, no extreme grows, and mirrors are alike.

With u → -u(-x) the equation is the same, and so it is in a ring whose first cell is another one; ∫u is
constant, ∫u²/2 never grows. First-order fluxes and limited slopes make no new extremes.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from pathlib import Path

from oracles.budgets import Budget
from oracles.cases import Tree
from oracles.marches import NOWHERE
from oracles.running import deck_of, run


@dataclass
class Wave(Budget):
    """A wave; ``mirror`` is the deck of its mirror image, which begins at another cell."""

    mirror: Tree = field(default_factory=dict)


def waves(seed: int) -> Wave:
    """Return a wave in a ring."""
    draw = random.Random(f"waves{seed}")
    n, size = draw.randint(16, 60), 10 ** draw.uniform(-2, 2)
    speed = 10 ** draw.uniform(-2, 2)
    level, part = draw.uniform(-1, 1), draw.uniform(-0.5, 0.5)
    # the centre of cell i is mirrored onto that of cell m - i
    middle = size * draw.randrange(1, n) / n
    scheme = draw.choice(("upwind", "muscl", "weno5"))
    physics: Tree = {
        "type": "burgers", "reconstruction": scheme, "riemann": draw.choice(("godunov", "rusanov")),
    }  # fmt: skip
    if draw.random() < 0.4:
        physics["viscosity"] = speed * size * 10 ** draw.uniform(-4, -2)
    turn = 2 * math.pi / size

    def deck(x: str, sign: float) -> Tree:
        start = f"{sign * speed!r}*({level!r} + sin({turn!r}*({x})) + {part!r}*cos({2 * turn!r}*({x})))"
        end = size / speed * draw_end
        time = {
            "stepper": {"type": "ssp_rk", "order": order}, "controller": {"type": "courant", "number": 0.4},
            "end": end, "step": end / 7,
        }  # fmt: skip
        quantities = {
            "momentum": {"type": "integral", "of": "velocity"},
            "energy": {"type": "integral", "of": "velocity^2/2"},
            "maximum": {"type": "maximum", "of": "velocity"},
            "minimum": {"type": "minimum", "of": "velocity"},
        }
        return {
            "plexus": 1, "mesh": {"type": "periodic", "cells": [n], "size": [size]}, "physics": physics,
            "initial": {"velocity": start}, "time": time, "quantities": quantities,
        }  # fmt: skip

    draw_end, order = draw.uniform(0.05, 0.6), draw.choice((2, 3))
    return Wave(seed, "waves", deck("x", 1.0), NOWHERE, mirror=deck(f"{middle!r} - x", -1.0))


def check(case: Wave, folder: Path) -> list[str]:
    """Return what a wave and its mirror image have wrong."""
    one, two = (run(deck, case, folder) for deck in (deck_of(case), case.mirror))
    wrong: list[str] = []
    (_, first), *_ = one.history
    size = max(abs(first["maximum"]), abs(first["minimum"]))
    limited = case.deck["physics"]["reconstruction"] != "weno5"
    total = case.deck["mesh"]["size"][0] * size
    for (t, a), (_, b) in zip(one.history, two.history, strict=True):
        if not abs(a["momentum"] - first["momentum"]) <= 1e-11 * total:
            wrong.append(f"t = {t}: momentum {a['momentum']} of {first['momentum']}")
        if not a["energy"] <= first["energy"] * (1 + 1e-9):
            wrong.append(f"t = {t}: energy {a['energy']} of {first['energy']}")
        room = (1e-9 if limited else 0.1) * size
        if not first["minimum"] - room <= a["minimum"] <= a["maximum"] <= first["maximum"] + room:
            wrong.append(f"t = {t}: from {a['minimum']} to {a['maximum']}")
        pairs = {
            "momentum": (a["momentum"] + b["momentum"], total),
            "energy": (a["energy"] - b["energy"], total * size),
            "extreme": (a["maximum"] + b["minimum"], size),
            "other extreme": (a["minimum"] + b["maximum"], size),
        }  # fmt: skip
        off = {name: v for name, (v, big) in pairs.items() if not abs(v) <= 1e-9 * big}
        wrong += [f"t = {t}: {name} of the mirror image off by {v}" for name, v in off.items()]
    return wrong
