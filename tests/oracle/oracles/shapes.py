"""Bodies of the oracles: boxes, stretched, sheared and turned, cut into cells; their exact integrals.

A body is x = A ξ + b with ξ in a box. It is written as mesh ``box`` or ``interval``, or as a file of Gmsh
with nodes and cells in any order.
"""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from oracles.leaves import Amount, Below, M, Near, amount
from oracles.msh import SIDES, write
from oracles.polynomials import AXES, Poly

SIMPLEX = {"line": True, "triangle": True, "tetrahedron": True, "quadrilateral": False, "hexahedron": False}


Ends = tuple[int | None, ...]
"""Of a curve or point: at which end of each axis, None where it goes along the axis."""


@dataclass(frozen=True)
class Shape:
    """A body: lattice coordinates per axis, the map (A, b), the plane that parts regions a and b."""

    cell: str
    ticks: tuple[tuple[float, ...], ...]
    matrix: tuple[tuple[float, ...], ...]
    shift: tuple[float, ...]
    grading: tuple[float, ...] | None = None
    split: int | None = None
    """Index of the lattice plane along x at which region b begins."""
    file: bool = False
    """Whether it is written as a file of Gmsh."""
    seed: int = 0
    measure: Poly = field(default_factory=lambda: Poly.of(1.0))
    order: int = 1
    """Order of the cells in the file."""
    edges: tuple[tuple[str, Ends], ...] = ()
    """Names of curves and points, and where they are."""
    around: tuple[int, ...] = ()
    """Axes whose two ends are one."""

    @property
    def dim(self) -> int:
        """Number of axes."""
        return len(self.ticks)

    @property
    def straight(self) -> bool:
        """Whether ξ is x."""
        return np.array_equal(np.array(self.matrix), np.eye(self.dim)) and not any(self.shift)

    @property
    def sides(self) -> list[str]:
        """Names of the sides."""
        return [name for axis in range(self.dim) if axis not in self.around for name in SIDES[axis]]

    @property
    def regions(self) -> list[str]:
        """Names of the regions."""
        return [] if self.split is None else ["a", "b"]

    def points(self, degree: int) -> np.ndarray:
        """Return where the nodes of elements of a degree are (n, d)."""
        lattice = [np.array(t) for t in self.ticks]
        if degree == 2:
            lattice = [np.sort(np.concatenate([t, (t[1:] + t[:-1]) / 2])) for t in lattice]
        grid = np.stack(np.meshgrid(*lattice, indexing="ij"), -1).reshape(-1, self.dim)
        return grid @ np.array(self.matrix).T + np.array(self.shift)

    def bounds(self, region: str | None) -> list[tuple[float, float]]:
        """Return the ends of each axis, of a region."""
        ends = [(t[0], t[-1]) for t in self.ticks]
        if region is not None:
            assert self.split is not None
            cut = self.ticks[0][self.split]
            ends[0] = (ends[0][0], cut) if region == "a" else (cut, ends[0][1])
        return ends

    def pulled(self, f: Poly) -> Poly:
        """Return f as a polynomial of ξ."""
        rows = [
            sum((Poly.variable(AXES[j]) * c for j, c in enumerate(row)), Poly.of(s))
            for row, s in zip(self.matrix, self.shift, strict=True)
        ]
        return f.put(**dict(zip(AXES, rows, strict=False)))

    def volume(self, f: Poly, region: str | None = None) -> float:
        """Return ∫ f dx; f is without time."""
        found = self.pulled(f * self.measure) * float(np.linalg.det(np.array(self.matrix)))
        for axis, (low, high) in zip(AXES, self.bounds(region), strict=False):
            found = found.integral(axis, low, high)
        return found.constant

    def normal(self, side: str) -> np.ndarray:
        """Return the outward normal of a side."""
        axis, end = self.at_end(side)
        direction = np.linalg.inv(np.array(self.matrix)).T[:, axis] * (1 if end else -1)
        return direction / np.linalg.norm(direction)

    def surface(self, f: Poly, side: str, region: str | None = None) -> float:
        """Return ∫ f ds over a side."""
        axis, end = self.at_end(side)
        matrix = np.array(self.matrix)
        share = abs(np.linalg.det(matrix)) * float(np.linalg.norm(np.linalg.inv(matrix).T[:, axis]))
        found = self.pulled(f * self.measure) * share
        bounds = self.bounds(region)
        found = found.put(**{AXES[axis]: float(self.bounds(None)[axis][end])})
        for i, (low, high) in enumerate(bounds):
            if i != axis:
                found = found.integral(AXES[i], low, high)
        return found.constant

    def at_end(self, side: str) -> tuple[int, int]:
        """Return the axis that a side is across, and at which end of it the side is."""
        axis = next(i for i, pair in enumerate(SIDES) if side in pair)
        return axis, SIDES[axis].index(side)

    def inside(self, draw: random.Random) -> list[float]:
        """Return some place of the body, off the plane that parts it."""
        ends = [(low, high) for low, high in self.bounds(draw.choice(self.regions) if self.regions else None)]
        xi = [low + (high - low) * draw.uniform(0.05, 0.95) for low, high in ends]
        return [float(v) for v in np.array(self.matrix) @ xi + np.array(self.shift)]

    def region_at(self, x: list[float]) -> str | None:
        """Return the region of a place."""
        if self.split is None:
            return None
        xi = np.linalg.solve(np.array(self.matrix), np.array(x) - np.array(self.shift))
        return "a" if xi[0] < self.ticks[0][self.split] else "b"

    def end(self, ends: Ends) -> list[float]:
        """Return the place of a point, or where a curve begins."""
        xi = [t[-1 if e else 0] for t, e in zip(self.ticks, ends, strict=True)]
        return [float(v) for v in np.array(self.matrix) @ xi + np.array(self.shift)]

    def _named(self) -> dict[str, Any]:
        """Return the curves and points of a straight box."""
        assert self.straight
        reach = 1e-3 * min(b - a for t in self.ticks for a, b in itertools.pairwise(t))
        found: dict[str, Any] = {}
        for name, ends in self.edges:
            kind = "curves" if None in ends else "points"
            place = zip(AXES, self.end(ends), ends, strict=False)
            here = tuple((axis, at) for axis, at, end in place if end is not None)
            found.setdefault(kind, {})[name] = Near(here, reach)
        return found

    def block(self) -> dict[str, Any]:
        """Return the mesh's block of the deck; a file is written by `write`."""
        if self.file:
            return {"type": "gmsh", "file": "mesh.msh"} | ({"periodic": True} if self.around else {})
        counts = [len(t) - 1 for t in self.ticks]
        size = [amount(t[-1] - t[0], M) for t in self.ticks]
        origin = [amount(t[0], M) for t in self.ticks]
        found: dict[str, Any] = {"cells": counts, "size": size, "origin": origin}
        if self.grading is not None:
            found["grading"] = list(self.grading)
        if not self.straight:
            found["map"] = [
                Amount(sum((Poly.variable(AXES[j]) * c for j, c in enumerate(row)), Poly.of(s)), M)
                for row, s in zip(self.matrix, self.shift, strict=True)
            ]
        if self.split is not None:
            assert self.straight
            cut = self.ticks[0][self.split]
            found["regions"] = {"a": Below("x", cut), "b": Below("x", cut, above=True)}
        if self.edges:
            found |= self._named()
        if self.around:
            found["periodic"] = [AXES[i] for i in self.around]
        if self.dim == 1:
            return {"type": "interval", **{k: v[0] if isinstance(v, list) else v for k, v in found.items()}}
        return {"type": "box", "cell": self.cell, **found}

    def write(self, path: Path, scale: float = 1.0, seed: int | None = None) -> None:
        """Write the file of Gmsh, lengths times ``scale``; ``seed`` orders nodes and cells."""
        write(self, path, scale, self.seed if seed is None else seed)


def graded(low: float, high: float, n: int, q: float) -> tuple[float, ...]:
    """Return the ends of n gaps that grow geometrically, the last q times the first."""
    if n == 1 or q == 1:
        return tuple(low + (high - low) * i / n for i in range(n + 1))
    r = q ** (1 / (n - 1))
    return tuple(low + (high - low) * (r**i - 1) / (r**n - 1) for i in range(n + 1))


def shape(
    draw: random.Random, dim: int | None = None, regions: bool = True, radial: bool = False, most: int = 0
) -> Shape:
    """Return some body; a radial one lies at positive x and is not turned."""
    dim = dim or draw.choice((1, 2, 2, 2, 3))
    cell = draw.choice(
        {1: ("line",), 2: ("triangle", "quadrilateral"), 3: ("tetrahedron", "hexahedron")}[dim]
    )
    most = most or {1: 9, 2: 5, 3: 3}[dim]
    size = 10 ** draw.uniform(-2.5, 1.5)
    file = draw.random() < 0.4
    grading = [draw.choice((1.0, draw.uniform(0.3, 3.0))) for _ in range(dim)]
    ticks = []
    for axis in range(dim):
        n = draw.randint(1 if axis else 2, most)
        low = size * draw.choice((0.0, draw.uniform(-1, 1)))
        if radial and axis == 0:
            low = size * draw.choice((0.0, draw.uniform(0.1, 2)))
        ticks.append(graded(low, low + size * draw.uniform(0.4, 2), n, grading[axis]))
    split = draw.randint(1, len(ticks[0]) - 2) if regions and draw.random() < 0.45 else None
    matrix, shift = np.eye(dim), np.zeros(dim)
    if not radial and split is None and dim > 1 and draw.random() < 0.4:
        matrix, shift = turned(draw, dim), np.array([draw.uniform(-1, 1) * size for _ in range(dim)])
    return Shape(
        cell, tuple(ticks), tuple(map(tuple, matrix.tolist())), tuple(shift.tolist()),
        None if set(grading) == {1.0} else tuple(grading), split, file, draw.randrange(10**6),
    )  # fmt: skip


def turned(draw: random.Random, dim: int) -> np.ndarray:
    """Return a rotation, maybe with shear and stretching."""
    found = np.eye(dim)
    for i, j in itertools.combinations(range(dim), 2):
        angle = draw.choice((0.0, math.pi / 2, draw.uniform(0, 2 * math.pi)))
        turn = np.eye(dim)
        turn[[i, j], [i, j]], turn[i, j], turn[j, i] = math.cos(angle), -math.sin(angle), math.sin(angle)
        found = turn @ found
    if draw.random() < 0.5:
        skew = np.eye(dim) + np.triu([[draw.uniform(-0.5, 0.5) for _ in range(dim)] for _ in range(dim)], 1)
        found = found @ skew @ np.diag([draw.uniform(0.5, 2) for _ in range(dim)])
    return found


def as_file(body: Shape, seed: int) -> Shape:
    """Return the body as a file of Gmsh, in another order."""
    return replace(body, file=True, seed=seed)
