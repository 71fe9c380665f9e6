"""Oracles: bounds of a deck stop a run if and only if the solution leaves them, and heat keeps to its data.

The polynomial solutions are linear in time, so that their extremes are those of the first and last state.
With lumped capacities, Euler's implicit method, and triangles without an obtuse angle or squares, the matrix
is an M-matrix: without sources no value leaves the range of the start and of the prescribed values.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from oracles.budgets import Budget
from oracles.cases import Case, Tree, at_nodes
from oracles.exact import judged
from oracles.leaves import Amount, Jump, K, S, amount, dims
from oracles.polynomials import Poly
from oracles.running import Outcome, deck_of, run
from oracles.shapes import shape


def bounded(case: Case, folder: Path) -> list[str]:
    """Return what is wrong of a run within bounds, and of one whose end is beyond one of them."""
    from plexus.errors import GuardError

    draw, (name,) = random.Random(f"bounded{case.seed}"), case.units
    time = case.deck.get("time")
    start, end = (time[key].value.constant for key in ("start", "end")) if time else (0.0, 0.0)
    first, last = (at_nodes(case.body, case.degree, case.exact[name], t) for t in (start, end))
    low, high = min(first.min(), last.min()), max(first.max(), last.max())
    room = (high - low) * draw.uniform(0.01, 1) + 1e-4 * abs(high)
    wide = _with(case, name, low - room, high + room)
    wrong = judged(case, run(deck_of(wide), wide, folder))
    inside = (last.max() - last.min()) * draw.uniform(0.01, 0.5)
    if not inside > 1e-4 * max(abs(low), abs(high)):
        return wrong
    ends = (low - room, last.max() - inside) if draw.random() < 0.5 else (last.min() + inside, high + room)
    narrow = _with(case, name, *ends)
    try:
        run(deck_of(narrow), narrow, folder)
    except GuardError:
        return wrong
    return [*wrong, f"{name} ends between {last.min()} and {last.max()}, and the bounds {ends} let it"]


def _with(case: Case, name: str, low: float, high: float) -> Case:
    """Return a case with bounds of a field."""
    unit = case.units[name]
    bounds = [amount(float(v), unit, unit == K) for v in (low, high)]
    return replace(case, deck={**case.deck, "runtime": {"guard": {name: bounds}}})


def kept(seed: int) -> Budget:
    """Return a body without sources that starts with a jump."""
    return _Kept(seed).case()


class _Kept:
    def __init__(self, seed: int):
        draw = self.draw = random.Random(f"kept{seed}")
        body = shape(draw, draw.choice((1, 2, 2)))
        unit = tuple(tuple(float(i == j) for j in range(body.dim)) for i in range(body.dim))
        h = 10 ** draw.uniform(-2.5, 1)
        ticks = tuple(tuple(h * i for i in range(draw.randint(3, 7))) for _ in range(body.dim))
        split = draw.randint(1, len(ticks[0]) - 2) if body.split else None
        self.body = replace(
            body, ticks=ticks, matrix=unit, shift=(0.0,) * body.dim, grading=None, split=split
        )
        self.seed, self.data = seed, [draw.uniform(250, 900) for _ in range(2)]

    def case(self) -> Budget:
        """Return the case."""
        draw, body = self.draw, self.body
        keys: list[Any] = body.regions or [None]
        k = {key: 10 ** draw.uniform(-1, 2) for key in keys}
        values: Any = {key: amount(v, dims(1, 1, -3, -1)) for key, v in k.items()}
        rho, c, reach = 10 ** draw.uniform(2, 4), draw.uniform(300, 3000), body.ticks[0][-1]
        material = {
            "conductivity": values.get(None, {"regions": values}),
            "density": amount(rho, dims(-3, 1)), "specific_heat": amount(c, dims(2, 0, -2, -1)),
        }  # fmt: skip
        deck: Tree = {"plexus": 1, "mesh": body.block()}
        deck["physics"] = {"type": "heat", "degree": 1, "capacity": "lumped", "material": material}
        deck["solver"] = {"default": {"preconditioner": "lu"}}
        deck["boundary"] = []
        for side in draw.sample(body.sides, draw.randint(1, len(body.sides) - 1)):
            self.data.append(draw.uniform(250, 900))
            deck["boundary"].append({"on": side, "temperature": amount(self.data[-1], K, True)})
        parts = [Amount(Poly.of(v), K, True) for v in self.data[:2]]
        deck["initial"] = {"temperature": Jump(parts[0], parts[1], reach * draw.uniform(0.1, 0.9), "x")}
        span = rho * c * reach**2 / max(k.values()) * 10 ** draw.uniform(-5, 1)
        deck["time"] = {
            "stepper": {"type": "theta"}, "end": amount(span, S),
            "step": amount(span / draw.uniform(1, 6), S),
        }  # fmt: skip
        deck["quantities"] = {kind: {"type": kind, "of": "temperature"} for kind in ("minimum", "maximum")}
        found = Budget(self.seed, "kept", deck, body)
        found.judge = self.judge
        return found

    def judge(self, found: Outcome) -> list[str]:
        """Return the steps with values beyond the data."""
        low, high = min(self.data), max(self.data)
        room = 1e-9 * high
        return [
            f"t = {t}: {q['minimum']} to {q['maximum']}, data from {low} to {high}"
            for t, q in found.history
            if not low - room <= q["minimum"] <= q["maximum"] <= high + room
        ]
