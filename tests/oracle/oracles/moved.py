"""Oracles: a body elsewhere, turned or mirrored, its mesh in another order or of second order: one answer."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from oracles.cases import Case, Tree
from oracles.exact import judged
from oracles.leaves import Amount, Jump, M, Table, amount
from oracles.polynomials import AXES, Poly
from oracles.running import Outcome, deck_of, run
from oracles.shapes import as_file

VECTORS = ("traction", "displacement", "body_force", "gravity", "force")
TENSORS = ("conductivity", "coefficient")
SCALARS = (
    "temperature", "temperature^4", "energy_density", "heat_flux", "u", "u_flux", "humidity", "humidity_flux",
    "degree_of_cure",
)  # fmt: skip
"""What does not turn; a flux is asked for by its flow through a side."""


class Fixed(Exception):
    """The deck names an axis, or a place in a way that does not turn."""


def moved(case: Case, folder: Path) -> list[str]:
    """Return what a turned, shifted or mirrored copy has otherwise; a body of revolution stands still."""
    if case.deck["physics"].get("geometry") == "axisymmetric":
        return []
    draw, dim = random.Random(f"moved{case.seed}"), case.body.dim
    turn = np.linalg.qr(np.array([[draw.gauss(0, 1) for _ in range(dim)] for _ in range(dim)]))[0]
    if draw.random() < 0.3:
        turn = np.diag([draw.choice((-1.0, 1.0)) for _ in range(dim)])[draw.sample(range(dim), dim)]
    reach = max(t[-1] - t[0] for t in case.body.ticks)
    shift = np.array([draw.uniform(-1, 1) * reach for _ in range(dim)])
    body = as_file(case.body, case.body.seed)
    there = replace(
        body,
        matrix=tuple(map(tuple, (turn @ np.array(body.matrix)).tolist())),
        shift=tuple((turn @ np.array(body.shift) + shift).tolist()),
    )
    deck = {**case.deck, "mesh": body.block()}
    try:
        copy = _Move(turn, shift).tree({**deck, "quantities": _invariant(deck["quantities"])})
    except Fixed:
        return []
    here = replace(case, body=body, deck={**deck, "quantities": _invariant(deck["quantities"])})
    one = run(deck_of(here), here, folder)
    two = run(deck_of(replace(case, body=there, deck=copy)), replace(case, body=there), folder)
    return compared(case, one, two)


def renumbered(case: Case, folder: Path) -> list[str]:
    """Return what another order of nodes and cells changes."""
    body = as_file(case.body, case.body.seed)
    here = replace(case, body=body, deck={**case.deck, "mesh": body.block()})
    one = run(deck_of(here), here, folder, order=1)
    two = run(deck_of(here), here, folder, order=2 + case.seed)
    return compared(case, one, two)


def second(case: Case, folder: Path) -> list[str]:
    """Return what a file of second order with the same straight cells changes."""
    body = replace(as_file(case.body, case.body.seed), order=2)
    here = replace(case, body=body, deck={**case.deck, "mesh": body.block()})
    two = run(deck_of(here), here, folder)
    if case.exact:
        return judged(case, two)
    one = replace(here, body=replace(body, order=1))
    return compared(case, run(deck_of(one), one, folder), two)


def compared(case: Case, one: Outcome, two: Outcome) -> list[str]:
    """Return which quantities of two runs differ, at any step."""
    wrong = []
    if [t for t, _ in one.history] != [t for t, _ in two.history] and "adaptive" not in case.deck.get(
        "time", {}
    ):
        wrong.append(f"steps {[t for t, _ in one.history]} and {[t for t, _ in two.history]}")
    pairs = [(one.quantities, two.quantities)]
    if "adaptive" not in case.deck.get("time", {}):
        pairs += [(a, b) for (_, a), (_, b) in zip(one.history, two.history, strict=False)]
    largest = max((abs(v) for v in one.quantities.values()), default=1.0)
    for first, second in pairs:
        for name, value in first.items():
            size = case.expected[name][2] if name in case.expected else max(abs(value), 1e-6 * largest)
            if not abs(value - second[name]) <= 10 * case.tolerance * size:
                wrong.append(f"quantity {name}: {value!r} and {second[name]!r}")
    return wrong


def _invariant(quantities: Mapping[str, Any]) -> Tree:
    return {k: q for k, q in quantities.items() if q["of"] in SCALARS}


class _Move:
    """Rewrites a deck for x' = Q x + s."""

    def __init__(self, turn: np.ndarray, shift: np.ndarray):
        self.turn, self.shift = turn, shift
        back = [
            sum(
                ((Poly.variable(AXES[i]) - float(shift[i])) * float(turn[i, j]) for i in range(len(shift))),
                Poly(),
            )
            for j in range(len(shift))
        ]
        self.back = dict(zip(AXES, back, strict=False))

    def tree(self, node: Any, key: str = "") -> Any:
        """Return a part of the deck in the new place."""
        if key == "mesh":
            return node
        if key == "at":
            place = self.turn @ np.array([leaf.value.constant for leaf in node]) + self.shift
            return [replace(leaf, value=Poly.of(float(v))) for leaf, v in zip(node, place, strict=True)]
        if key == "rotation":
            return {**self.tree(node), **self._axis(node)}
        if key in VECTORS and isinstance(node, list):
            return self._vector(node)
        if key in TENSORS and isinstance(node, list):
            columns = [self._vector(list(column)) for column in zip(*node, strict=True)]
            return [self._vector(list(row)) for row in zip(*columns, strict=True)]
        if isinstance(node, dict):
            if any(k.startswith("displacement_") for k in node):
                raise Fixed
            return {k: self.tree(v, k) for k, v in node.items()}
        if isinstance(node, list):
            return [self.tree(v) for v in node]
        if isinstance(node, Amount):
            return replace(node, value=node.value.put(**self.back))
        if isinstance(node, Jump):
            if node.along != "t":
                raise Fixed
            return replace(node, before=self.tree(node.before), after=self.tree(node.after))
        return node

    def _axis(self, node: Tree) -> Tree:
        """Return point and direction of an axis in the new place; that of a plane has no direction."""
        there = [0.0] * len(self.shift)
        if "point" in node:
            there = [leaf.value.constant for leaf in node["point"]]
        place = self.turn @ np.array(there) + self.shift
        found: Tree = {"point": [amount(float(v), M) for v in place]}
        if "axis" in node:
            found["axis"] = (self.turn @ np.array(node["axis"], dtype=float)).tolist()
        return found

    def _vector(self, parts: list[Any]) -> list[Any]:
        if all(isinstance(p, dict) for p in parts):
            names = list(parts[0]["regions"])
            by_name = {n: self._vector([p["regions"][n] for p in parts]) for n in names}
            return [{"regions": {n: by_name[n][i] for n in names}} for i in range(len(parts))]
        if all(isinstance(p, Table) for p in parts):
            values = self.turn @ np.array([p.values for p in parts])
            return [replace(p, values=tuple(map(float, v))) for p, v in zip(parts, values, strict=True)]
        if not all(isinstance(p, Amount) for p in parts):
            raise Fixed
        placed = [self.tree(p) for p in parts]
        return [
            replace(
                placed[0],
                value=sum((p.value * float(self.turn[i, j]) for j, p in enumerate(placed)), Poly()),
            )
            for i in range(len(parts))
        ]
