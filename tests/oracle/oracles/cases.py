"""What an oracle gets: a deck with its body, the exact fields, and what every quantity must be."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from oracles.leaves import Amount, Dims, Jump, amount
from oracles.polynomials import AXES, Poly
from oracles.shapes import SIMPLEX, Shape

Tree = dict[str, Any]
Pieces = Mapping[str | None, Poly]
"""Region, or None for the whole body -> polynomial."""


@dataclass
class Case:
    """One deck; ``exact`` holds the unknowns by component, ``expected`` what quantities are.

    A quantity has a value, dimensions (None where they are not whole) and a size.
    """

    seed: int
    family: str
    deck: Tree
    body: Shape
    degree: int = 1
    exact: dict[str, Pieces] = field(default_factory=dict)
    expected: dict[str, tuple[float, Dims | None, float]] = field(default_factory=dict)
    tolerance: float = 1e-6
    units: dict[str, Dims] = field(default_factory=dict)
    """Dimensions of unknowns."""
    torn: bool = False
    """Whether unknowns jump at the plane that parts the body."""
    scalable: bool = True
    """Whether numbers of another world say the same: no constant of nature has a part."""

    def quantity(self, name: str, block: Tree, value: float, dimensions: Dims | None, size: float) -> None:
        """Ask for a quantity of which the value is known."""
        self.deck.setdefault("quantities", {})[name] = block
        self.expected[name] = (value, dimensions, max(abs(size), abs(value)))


def random_field(
    draw: random.Random, body: Shape, degree: int, even: bool = False, mixed: bool = True
) -> Poly:
    """Return a polynomial of size about 1 in the space of elements; ``even``: in the square of x."""
    corners = body.points(1)
    middle, reach = corners.mean(0), max(float(np.ptp(corners, axis=0).max()), 1e-300)
    local = [(Poly.variable(a) - float(m)) * (1 / reach) for a, m in zip(AXES, middle, strict=False)]
    local = [f for i, f in enumerate(local) if i not in body.around]
    if even:
        far = float(abs(corners[:, 0]).max())
        local[0] = Poly.variable("x") ** 2 * (1 / far**2)
    found = Poly.of(draw.uniform(-1, 1))
    for i, a in enumerate(local):
        if not (even and i == 0 and degree == 1):
            found = found + a * draw.uniform(-1, 1)
        if degree == 2:
            for j, b in enumerate(local[i:], i):
                if not even or (i, j) == (1, 1):
                    found = found + a * b * draw.uniform(-1, 1)
    bilinear = mixed and not even and not SIMPLEX[body.cell] and body.straight and len(local) > 1
    if bilinear and draw.random() < 0.5:
        found = found + local[0] * local[1] * draw.uniform(-1, 1)
    return found


def largest(body: Shape, degree: int, pieces: Pieces, t: float = 0.0) -> float:
    """Return the largest magnitude at the nodes."""
    return max(float(np.abs(at_nodes(body, degree, {None: f}, t)).max()) for f in pieces.values())


def at_nodes(body: Shape, degree: int, pieces: Pieces, t: float) -> np.ndarray:
    """Return the values at the nodes (n,)."""
    return at_points(body, pieces, body.points(degree), t)


def at_points(body: Shape, pieces: Pieces, points: np.ndarray, t: float) -> np.ndarray:
    """Return the values at points (n, d)."""
    names = dict(zip(AXES, points.T, strict=False)) | {"t": t}
    values = {key: np.broadcast_to(f.at(**names), len(points)) for key, f in pieces.items()}  # type: ignore[arg-type]
    if None in values:
        return values[None]
    assert body.split is not None
    return np.where(points[:, 0] <= body.ticks[0][body.split], values["a"], values["b"])


def at_sides(body: Shape, pieces: Pieces, points: np.ndarray, t: float) -> np.ndarray:
    """Return the values at points (n, d) as each region has them, (n, 2); they differ at the plane only."""
    assert body.split is not None
    cut = body.ticks[0][body.split]
    here = at_points(body, pieces, points, t)
    names = dict(zip(AXES, points.T, strict=False)) | {"t": t}
    on = abs(points[:, 0] - cut) < 1e-9 * (body.ticks[0][-1] - body.ticks[0][0])
    return np.stack([np.where(on, pieces[key].at(**names), here) for key in ("a", "b")], axis=1)


def at_time(pieces: Pieces, t: float) -> dict[str | None, Poly]:
    """Return the pieces at a time."""
    return {key: f.put(t=t) for key, f in pieces.items()}


def over_body(body: Shape, pieces: Pieces) -> float:
    """Return the integral over the body."""
    return sum(body.volume(f, key) for key, f in pieces.items())


def touching(body: Shape, side: str) -> list[str | None]:
    """Return the regions at a side, None without regions."""
    if body.split is None:
        return [None]
    return {"left": ["a"], "right": ["b"]}.get(side, ["a", "b"])  # type: ignore[return-value]


def over_side(body: Shape, pieces: Pieces, side: str) -> float:
    """Return the integral over a side."""
    return sum(
        body.surface(pieces[key], side, key if side not in ("left", "right") else None)
        for key in touching(body, side)
    )


def everywhere(pieces: Pieces, body: Shape, dimensions: Dims, absolute: bool = False) -> Amount | Jump:
    """Return pieces as one expression of the place."""
    if None in pieces:
        return Amount(pieces[None], dimensions, absolute)
    assert body.split is not None
    parts = [Amount(pieces[key], dimensions, absolute) for key in ("a", "b")]
    return Jump(parts[0], parts[1], body.ticks[0][body.split], "x")


def by_region(
    draw: random.Random, pieces: Pieces, body: Shape, dimensions: Dims, absolute: bool = False
) -> Any:
    """Return pieces as a property: by region, or as one expression of the place."""
    if None not in pieces and draw.random() < 0.7:
        return {"regions": {key: Amount(f, dimensions, absolute) for key, f in pieces.items()}}
    return everywhere(pieces, body, dimensions, absolute)


def on_side(
    draw: random.Random, pieces: Pieces, body: Shape, side: str, dimensions: Dims, absolute: bool = False
) -> Any:
    """Return pieces as what a term of a side takes."""
    here = {key: pieces[key] for key in touching(body, side)}
    if len(here) == 1:
        return Amount(next(iter(here.values())), dimensions, absolute)
    return by_region(draw, here, body, dimensions, absolute)


def solver(draw: random.Random, names: Sequence[str], kinds: Sequence[str]) -> tuple[Tree, float]:
    """Return a solver block and the accuracy that it promises."""
    kind = draw.choice(("", "lu", "lu", *kinds))
    if not kind:
        return {}, 1e-4
    block: Tree = {"preconditioner": kind, "snes_rtol": 1e-12}
    if kind != "lu":
        block["rtol"] = 1e-12
    return {"solver": {draw.choice(("default", *names)) if len(names) == 1 else "default": block}}, 1e-6


def mapped(f: Callable[..., Poly], *pieces: Pieces) -> dict[str | None, Poly]:
    """Return f of the pieces, region by region."""
    return {key: f(*(p[key] for p in pieces)) for key in pieces[0]}


def term(value: Any) -> Tree:
    """Return a term whose value is a property; one by region is written in full."""
    return {"value": value} if isinstance(value, dict) else value


def number(value: float, dimensions: Dims) -> Amount:
    """Return a number with dimensions."""
    return amount(value, dimensions)
