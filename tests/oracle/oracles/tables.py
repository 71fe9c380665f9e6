"""Loads and materials given as tables of time: bodies that follow them at once, and bodies that store heat.

At once: u = g(t) a·(x - x_0) and u = g(t) A (x - x_0) with g piecewise linear; what crosses a side is g(t)
times a constant, and x_0, with what else keeps the body from turning, stays where it is.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from oracles.budgets import Budget, _Heat
from oracles.cases import Case, Tree
from oracles.edges import place, with_edges
from oracles.leaves import PASCAL, Dims, K, M, S, Table, amount, dims
from oracles.polynomials import AXES, Poly
from oracles.running import Outcome
from oracles.shapes import Ends, shape

GEOMETRIES = {"plane_strain": 2, "plane_stress": 2, "solid": 3}
CONDUCTIVITY, FLUX = dims(1, 1, -3, -1), dims(0, 1, -3)


def ramps(seed: int) -> Case:
    """Return a quasistatic body whose loads are tables."""
    draw = random.Random(f"ramps{seed}")
    return _Conducts(seed, draw).case() if draw.random() < 0.4 else _Stretches(seed, draw).case()


def tabled(seed: int) -> Budget:
    """Return a body that warms by loads that are tables."""
    return _Tabled(seed, f"tabled{seed}", False, False).case()


def knots(draw: random.Random, end: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return times of which some are beyond the run, and values of size 1."""
    n = draw.randint(2, 5)
    first, last = draw.uniform(-0.3, 0.3) * end, draw.uniform(0.6, 1.5) * end
    inner = sorted(draw.uniform(first + 0.05 * end, last) for _ in range(n - 2))
    times = (first, *inner, last)
    apart = all(b - a > 1e-3 * end for a, b in itertools.pairwise(times))
    return (times, tuple(draw.uniform(-1, 1) for _ in times)) if apart else knots(draw, end)


class _Ramp:
    """What follows at once."""

    def __init__(self, seed: int, draw: random.Random, dim: int | None):
        self.seed, self.draw = seed, draw
        self.body = shape(draw, dim, regions=False, most={3: 2}.get(dim or 0, 4))
        if self.body.dim > 1:
            self.body = with_edges(self.body)
        self.dim, self.degree = self.body.dim, draw.choice((1, 2))
        self.reach = max(t[-1] - t[0] for t in self.body.ticks)
        self.end = 10 ** draw.uniform(-1, 3)
        self.times, self.rise = knots(draw, self.end)
        self.now = float(np.interp(self.end, self.times, self.rise))
        self.ends: list[tuple[str, Ends]] = list(self.body.edges) or [("left", (0,)), ("right", (1,))]
        self.ends = draw.sample([e for e in self.ends if None not in e[1]], 2**self.dim)
        self.origin = self.body.end(self.ends[0][1])
        self.far = [Poly.variable(a) - x for a, x in zip(AXES, self.origin, strict=False)]

    def table(self, size: float, d: Dims) -> Table:
        """Return g(t) times a number."""
        return Table(self.times, tuple(size * v for v in self.rise), d)

    def deck(self, physics: Tree, boundary: list[Tree]) -> Tree:
        """Return the deck."""
        time = {
            "stepper": "quasistatic", "end": amount(self.end, S),
            "step": amount(self.end / self.draw.uniform(1, 4), S),
        }  # fmt: skip
        solver = {"default": {"preconditioner": "lu", "snes_rtol": 1e-12}}
        deck: Tree = {"plexus": 1, "mesh": self.body.block(), "physics": physics, "solver": solver}
        boundary = self.draw.sample(boundary, len(boundary))
        return deck | {"time": time, "boundary": boundary, "quantities": {}}


class _Conducts(_Ramp):
    def __init__(self, seed: int, draw: random.Random):
        super().__init__(seed, draw, None)
        self.k = 10 ** draw.uniform(-1, 2)
        self.level = draw.uniform(300, 600)
        self.slope = [draw.uniform(-1, 1) * 100 / self.reach for _ in range(self.dim)]

    def case(self) -> Case:
        """Return the case."""
        body, draw = self.body, self.draw
        rise = sum((f * a for f, a in zip(self.far, self.slope, strict=True)), Poly()) * self.now
        boundary: list[Tree] = []
        for side in body.sides:
            crossing = self.k * float(np.dot(body.normal(side), self.slope))
            boundary.append({"on": side, "flux": {"value": self.table(crossing, FLUX)}})
        name, ends = self.ends[0]
        boundary.append({**place(draw, body, name, ends), "temperature": amount(self.level, K, True)})
        material = {"conductivity": amount(self.k, CONDUCTIVITY)}
        physics = {"type": "heat", "degree": self.degree, "material": material}
        found = Case(
            self.seed, "ramps", self.deck(physics, boundary), body, self.degree,
            {"temperature": {None: rise + self.level}}, units={"temperature": K},
        )  # fmt: skip
        if self.dim == 1:
            found.deck["boundary"] = [b for b in boundary if b.get("on") != name or "flux" not in b]
        mean = body.volume(rise + self.level) / body.volume(Poly.of(1.0))
        found.quantity("mean", {"type": "mean", "of": "temperature"}, mean, K, self.level)
        return found


class _Stretches(_Ramp):
    def __init__(self, seed: int, draw: random.Random):
        self.geometry = draw.choice(list(GEOMETRIES))
        super().__init__(seed, draw, GEOMETRIES[self.geometry])
        dim = self.dim
        self.young, self.nu = 10 ** draw.uniform(6, 11), draw.uniform(-0.2, 0.45)
        size = 10 ** draw.uniform(-6, -3)
        root = np.array([[draw.uniform(-1, 1) for _ in range(dim)] for _ in range(dim)])
        self.strain = size * (root + root.T) / 2
        self.pins, self.grad = self._pinned()

    def _pinned(self) -> tuple[list[tuple[tuple[str, Ends], int]], np.ndarray]:
        """Return corners with the component that stays zero there, and ∇u with the turn that they leave."""
        draw, dim = self.draw, self.dim
        turns = [np.zeros((dim, dim)) for _ in range(dim * (dim - 1) // 2)]
        for turn, (i, j) in zip(turns, itertools.combinations(range(dim), 2), strict=True):
            turn[i, j], turn[j, i] = 1, -1
        while True:
            pins = [(draw.choice(self.ends[1:]), draw.randrange(dim)) for _ in turns]
            away = [np.subtract(self.body.end(ends), self.origin) / self.reach for (_, ends), _ in pins]
            rows = np.array([[(t @ d)[i] for t in turns] for d, (_, i) in zip(away, pins, strict=True)])
            if np.linalg.svd(rows, compute_uv=False).min() > 0.05:
                right = [-(self.strain @ d)[i] for d, (_, i) in zip(away, pins, strict=True)]
                turn = sum(w * t for w, t in zip(np.linalg.solve(rows, right), turns, strict=True))
                return pins, self.strain + turn

    def _stress(self) -> np.ndarray:
        mu = self.young / (2 * (1 + self.nu))
        lam = self.young * self.nu / ((1 + self.nu) * (1 - 2 * self.nu))
        if self.geometry == "plane_stress":
            lam = 2 * lam * mu / (lam + 2 * mu)
        return lam * np.trace(self.strain) * np.eye(self.dim) + 2 * mu * self.strain

    def case(self) -> Case:
        """Return the case."""
        body, draw, dim, stress = self.body, self.draw, self.dim, self._stress()
        boundary: list[Tree] = []
        for side in body.sides:
            pull = stress @ body.normal(side)
            boundary.append({"on": side, "traction": [self.table(float(v), PASCAL) for v in pull]})
        zero = amount(0.0, M)
        boundary.append({**place(draw, body, *self.ends[0]), "displacement": [zero] * dim})
        boundary += [{**place(draw, body, *pin), f"displacement_{AXES[i]}": zero} for pin, i in self.pins]
        material = {"young_modulus": amount(self.young, PASCAL), "poisson_ratio": amount(self.nu)}
        physics: Tree = {"type": "elasticity", "degree": self.degree, "material": material}
        physics["geometry"] = self.geometry
        exact = {
            f"displacement_{AXES[i]}": {
                None: sum((f * float(self.now * self.grad[i, j]) for j, f in enumerate(self.far)), Poly())
            }
            for i in range(dim)
        }
        found = Case(
            self.seed, "ramps", self.deck(physics, boundary), body, self.degree, exact,
            units={"displacement": M},
        )  # fmt: skip
        i, j = draw.randrange(dim), draw.randrange(dim)
        big = float(abs(stress).max() * max(map(abs, self.rise)))
        block = {"type": "mean", "of": f"stress_{AXES[i]}{AXES[j]}"}
        found.quantity("stress", block, float(stress[i, j]) * self.now, PASCAL, big)
        return found


@dataclass
class Tabled:
    """A load as `oracles.budgets.Load`: a table, and the size of its place."""

    times: tuple[float, ...]
    values: tuple[float, ...]
    dims: Dims
    size: float
    absolute: bool = False

    def leaf(self) -> Table:
        """Return it as the deck has it."""
        return Table(self.times, self.values, self.dims, self.absolute)

    def total(self, t: float, ending: bool) -> float:
        """Return its integral at a time."""
        return float(np.interp(t, self.times, self.values)) * self.size


class _Tabled(_Heat):
    def _load(self, d: Dims, size: float, whole: Any) -> Any:
        times, values = knots(self.draw, self.span)
        load = Tabled(times, tuple(size * v for v in values), d, whole(Poly.of(1.0)))
        self.loads.append(load)  # type: ignore[arg-type]
        return load

    def _term(self, name: str, side: str) -> Any:
        block = super()._term(name, side)
        if name == "convection":
            times, values = knots(self.draw, self.span)
            levels = tuple(self.level * (1 + 0.2 * v) for v in values)
            _, h, ambient = self.convected.pop()
            load = Tabled(times, levels, K, ambient.whole(Poly.of(1.0)), True)
            self.convected.append((side, h, load))  # type: ignore[arg-type]
            block["ambient"] = load.leaf()
        return block

    def judge(self, found: Outcome) -> list[str]:
        """Return the steps whose budget does not close, and the kinks that adaptive steps passed over."""
        if "adaptive" not in self.found.deck["time"]:
            return super().judge(found)
        reached = [t for t, _ in found.history]
        tables = [*self.loads, *(ambient for *_, ambient in self.convected)]
        kinks = {t for table in tables for t in table.times if 0 < t < self.span}  # type: ignore[union-attr]
        missed = [t for t in kinks if min(abs(t - r) for r in reached) > 1e-9 * self.span]
        return super().judge(found) + [f"no step ends at the kink t = {t}" for t in missed]
