"""Values and forces on curves and points: bodies that nothing else holds, and loads that are concentrated.

Where loads and polynomial solution agree, supports on a few nodes carry nothing and the solution stays exact.
A force on a curve does the work F·∫u dl/L, which Simpson's rule gives from the nodes of elements of degree 2.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any

import numpy as np

from oracles.budgets import Budget, _Work
from oracles.cases import Case, Tree, everywhere
from oracles.leaves import NEWTON, M, amount
from oracles.polynomials import AXES
from oracles.scalars import _Scalar
from oracles.shapes import Ends, Shape
from oracles.solids import _Solid

FLAT = ("plane_strain", "plane_stress")


def pins(seed: int) -> Case:
    """Return an elastic body that curves and points hold."""
    return _Pins(seed).case()


def wires(seed: int) -> Case:
    """Return heat or diffusion whose level is held on curves and points."""
    return _Wires(seed).case()


def frame(seed: int) -> Budget:
    """Return an elastic body with forces on curves and points."""
    seeds = (seed + 10**6 * k for k in itertools.count())
    return next(made for made in map(_Frame, seeds) if not made.radial and made.dim > 1).case()


def with_edges(body: Shape) -> Shape:
    """Return a body some of whose corners and edges have names; one that is turned is in a file."""
    corners: list[Ends] = list(itertools.product((0, 1), repeat=body.dim))
    edges: list[tuple[str, Ends]] = [(f"corner {i}", ends) for i, ends in enumerate(corners)]
    if body.dim == 3:
        around = [(i, ends) for i in range(3) for ends in itertools.product((0, 1), repeat=2)]
        edges += [(f"edge {n}", (*ends[:i], None, *ends[i:])) for n, (i, ends) in enumerate(around)]
    return replace(body, edges=tuple(edges), file=body.file or not body.straight)


def place(draw: random.Random, body: Shape, name: str, ends: Ends) -> Tree:
    """Return where something holds: by name, a point also by its position."""
    if None not in ends and draw.random() < 0.3:
        return {"at": [amount(v, M) for v in body.end(ends)]}
    return {"on": name}


class _Pins(_Solid):
    def __init__(self, seed: int):
        super().__init__(seed, random.Random(f"pins{seed}").choice(("solid", "solid", *FLAT)))
        self.family = "pins"
        self.body = with_edges(self.body)

    def _boundary(self) -> list[Tree]:
        draw, body = self.draw, self.body
        self.held, self.free = [], list(body.sides)
        whole = [everywhere({key: self.u[key][i] for key in self.keys}, body, M) for i in range(self.dim)]
        found = [self._side(side, whole) for side in body.sides]
        rows: list[np.ndarray] = []
        for name, ends in draw.sample(body.edges, len(body.edges)):
            found.append(self._pin(name, ends, whole, rows))
            if np.linalg.matrix_rank(np.array(rows), 0.05) == self.dim * (self.dim + 1) // 2:
                break
        if len(self.keys) > 1 and self.jumps:
            found.append(self._interface())
        return draw.sample(found, len(found))

    def _pin(self, name: str, ends: Ends, whole: list[Any], rows: list[np.ndarray]) -> Tree:
        """Return a support, and add what it does to rigid motions."""
        draw, dim = self.draw, self.dim
        axes = [draw.randrange(dim)] if draw.random() < 0.5 else list(range(dim))
        for end in (0, 1):
            x = np.array(self.body.end(tuple(end if e is None else e for e in ends)))
            rows += [self._motions(x)[i] for i in axes]
        where = place(draw, self.body, name, ends)
        if len(axes) == 1:
            return {**where, f"displacement_{AXES[axes[0]]}": whole[axes[0]]}
        return {**where, "displacement": whole}

    def _motions(self, x: np.ndarray) -> np.ndarray:
        """Return the rigid motions at a place, (d, d(d+1)/2), turns by an angle of 1 over the body's size."""
        corners = self.body.points(1)
        r = (x - corners.mean(0)) / np.ptp(corners, axis=0).max()
        turns = []
        for i, j in itertools.combinations(range(self.dim), 2):
            turn = np.zeros(self.dim)
            turn[i], turn[j] = -r[j], r[i]
            turns.append(turn)
        return np.column_stack([np.eye(self.dim), *turns])

    def _supports(self, strong: float) -> None:
        """Ask for no reaction: it is one of boundaries."""


class _Wires(_Scalar):
    def __init__(self, seed: int):
        super().__init__(seed, random.Random(f"wires{seed}").choice(("heat", "diffusion")))
        if self.body.dim > 1:
            self.body = with_edges(self.body)

    def _boundary(self) -> list[Tree]:
        draw, body = self.draw, self.body
        sides = list(body.sides)
        if self.radial and body.ticks[0][0] == 0:
            sides.remove("left")
        self.held, self.free = [], sides
        found: list[Tree] = [{"on": side, **self._term(side, False)[0]} for side in sides]
        value = everywhere(self.u, body, self.unit, self.heat)
        corners: list[tuple[str, Ends]] = [("", (0,)), ("", (1,))]
        for name, ends in draw.sample(body.edges or corners, draw.randint(1, 2)):
            where = place(draw, body, name, ends) if name else {"at": [amount(v, M) for v in body.end(ends)]}
            found.append({**where, self.name: value})
        if len(self.keys) > 1 and self.jumps:
            found.append(self._interface())
        return draw.sample(found, len(found))


class _Frame(_Work):
    def __init__(self, seed: int):
        super().__init__(seed)
        self.body = with_edges(self.body)

    def _boundary(self) -> list[Tree]:
        found = super()._boundary()
        axis, end = self.body.at_end(self.held[0])
        free = [(name, ends) for name, ends in self.body.edges if ends[axis] != end]
        return found + [self._force(*chosen) for chosen in self.draw.sample(free, self.draw.randint(1, 2))]

    def _force(self, name: str, ends: Ends) -> Tree:
        draw = self.draw
        force = [self.push * self.reach**2 * draw.uniform(-1, 1) for _ in range(self.dim)]
        self.forces.append(force)
        for k, (at, share) in enumerate(self._nodes(ends)):
            for i, v in enumerate(force):
                where = [amount(float(x), M) for x in at]
                block = {"type": "value", "of": f"displacement_{AXES[i]}", "at": where}
                self.works.append((v * share, self._ask(f"{name}_{k}_{AXES[i]}", block)))
        return {**place(draw, self.body, name, ends), "force": [amount(v, NEWTON) for v in force]}

    def _nodes(self, ends: Ends) -> list[tuple[np.ndarray, float]]:
        """Return the nodes of degree 2 and their shares of an even load: Simpson's rule on every element."""
        if None not in ends:
            return [(np.array(self.body.end(ends)), 1.0)]
        ticks = np.array(self.body.ticks[ends.index(None)])
        low = np.array(self.body.end(tuple(0 if e is None else e for e in ends)))
        high = np.array(self.body.end(tuple(1 if e is None else e for e in ends)))
        share = np.diff(ticks) / (ticks[-1] - ticks[0])
        at = (ticks - ticks[0]) / (ticks[-1] - ticks[0])
        found = [(low + s * (high - low), 0.0) for s in at]
        weights = [0.0] * len(at)
        for i, h in enumerate(share):
            weights[i] += h / 6
            weights[i + 1] += h / 6
            found.append((low + (at[i] + at[i + 1]) / 2 * (high - low), 4 * h / 6))
        return [(x, w or weights[i]) for i, (x, w) in enumerate(found)]
