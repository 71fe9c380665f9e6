"""Oracle: a solution that the elements hold comes out at every node, with all quantities."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from oracles.cases import Case, Pieces, at_points, at_sides, largest
from oracles.running import Outcome, deck_of, run
from oracles.shapes import Shape


def check(case: Case, folder: Path) -> list[str]:
    """Return what a run of the case has wrong."""
    return [*judged(case, run(deck_of(case), case, folder))]


def judged(
    case: Case, found: Outcome, length: float = 1.0, sizes: dict[str, float] | None = None
) -> list[str]:
    """Return what an outcome has wrong; lengths and unknowns may be those of another world."""
    sizes = sizes or {}
    wrong = []
    t = _end(case)
    for name in case.units:
        points, values = found.nodes[name]
        columns = [key for key in case.exact if key.split("_")[0] == name or key == name]
        for i, key in enumerate(columns):
            sides = at_sides if case.torn else _one_side
            exact = sides(case.body, case.exact[key], points / length, t)
            off = np.abs(values[:, i : i + 1] / sizes.get(name, 1.0) - exact).min(axis=1)
            big = max(largest(case.body, case.degree, case.exact[k], t) for k in columns)
            # a rank may have no node of its own
            if not off.max(initial=0.0) <= case.tolerance * big:
                worst = int(off.argmax())
                wrong.append(
                    f"{key} at node {points[worst]}: {values[worst, i]!r} instead of {exact[worst]!r} "
                    f"({off.max() / big:.1e} of its size)"
                )
    for name, (value, _, size) in case.expected.items():
        got = found.quantities[name] / sizes.get(f"={name}", 1.0)
        if not abs(got - value) <= case.tolerance * size:
            wrong.append(f"quantity {name}: {got!r} instead of {value!r} ({abs(got - value) / size:.1e})")
    return wrong


def _one_side(body: Shape, pieces: Pieces, points: np.ndarray, t: float) -> np.ndarray:
    """Return the values at points (n, d), (n, 1)."""
    return at_points(body, pieces, points, t)[:, None]


def _end(case: Case) -> float:
    time = case.deck.get("time")
    return time["end"].value.constant if time else 0.0
