"""Rings held along the normals of curved sides, with displacements that the elements hold.

    u = ε x + W x + c (+ ε_z z),    n·u = ±(x u_x + y u_y)/R,    σ_rr = λ (2ε + n) + 2μ ε

W is a turn without stress, n the strain along the axis of the ring or normal to its section. Nodes lie at
equal angles, so that their normals are those of the circle; the pressure acts on the facets as they are.
"""

from __future__ import annotations

import itertools
import math
import random
from pathlib import Path
from typing import Any

import numpy as np

from oracles.cases import Case, Tree
from oracles.leaves import JOULE, PASCAL, Amount, M, amount, times
from oracles.msh import CODES, CODES_2, Block, Cell, second, write_file
from oracles.polynomials import AXES, Poly

X, Y, Z = (Poly.variable(a) for a in AXES)
Corner = tuple[int, int, int]


class Ring:
    """A ring of quadrilaterals, triangles or hexahedra, in a file of Gmsh; what `Case` asks of a body."""

    file, split, straight = True, None, False

    def __init__(self, draw: random.Random, dim: int):
        self.dim, self.order = dim, draw.choice((1, 2))
        self.cell = "hexahedron" if dim == 3 else draw.choice(("triangle", "quadrilateral"))
        # facets that differ by 30 degrees are sides of their own
        self.around = draw.randint(14, 18) if self.order == 1 else draw.randint(8, 14)
        size = 10 ** draw.uniform(-2.5, 1.5)
        self.radii = [size * (1 + i * draw.uniform(0.3, 0.6)) for i in range(draw.randint(2, 3))]
        self.heights = [size * i * draw.uniform(0.3, 1) for i in range(2)] if dim == 3 else [0.0]
        self.first, self.seed = draw.choice((0.0, draw.uniform(0, 1))), draw.randrange(10**6)

    def block(self) -> Tree:
        """Return the mesh's block of the deck."""
        return {"type": "gmsh", "file": "mesh.msh"}

    def _places(self) -> np.ndarray:
        turns = self.first + 2 * math.pi * np.arange(self.around) / self.around
        grid = np.stack(np.meshgrid(self.radii, turns, self.heights, indexing="ij"), -1).reshape(-1, 3)
        r, angle, z = grid.T
        return np.column_stack([r * np.cos(angle), r * np.sin(angle), z])

    def points(self, degree: int) -> np.ndarray:
        """Return the corners (n, d)."""
        return self._places()[:, : self.dim]

    def _number(self, i: int, j: int, k: int) -> int:
        return (i * self.around + j % self.around) * len(self.heights) + k

    def _cells(self) -> list[Cell]:
        found: list[Cell] = []
        flat: tuple[tuple[int, int], ...] = ((0, 0), (1, 0), (1, 1), (0, 1))
        for i, j in itertools.product(range(len(self.radii) - 1), range(self.around)):
            low = [self._number(i + a, j + b, 0) for a, b in flat]
            if self.cell == "hexahedron":
                found.append((*low, *(self._number(i + a, j + b, 1) for a, b in flat)))
            elif self.cell == "triangle":
                found += [(low[0], low[1], low[2]), (low[0], low[2], low[3])]
            else:
                found.append(tuple(low))
        return found

    def _sides(self) -> dict[str, list[Cell]]:
        found: dict[str, list[Cell]] = {}
        for name, i in (("inner", 0), ("outer", len(self.radii) - 1)):
            ends = [(self._number(i, j, 0), self._number(i, j + 1, 0)) for j in range(self.around)]
            if self.dim == 3:
                found[name] = [(a, b, b + 1, a + 1) for a, b in ends]
            else:
                found[name] = list(ends)
        if self.dim == 3:
            cells = self._cells()
            found |= {"back": [c[:4] for c in cells], "front": [c[4:] for c in cells]}
        return found

    def write(self, path: Path, scale: float = 1.0, seed: int | None = None) -> None:
        """Write the file, lengths times ``scale``."""
        draw = random.Random(self.seed if seed is None else seed)
        facet = "quadrilateral" if self.dim == 3 else "line"
        blocks: list[Block] = [(self.dim - 1, facet, name, cells) for name, cells in self._sides().items()]
        blocks.append((self.dim, self.cell, "body", self._cells()))
        points = self._places()
        if self.order == 2:
            blocks, points = second(blocks, points, _on_the_arc)
        codes = CODES_2 if self.order == 2 else CODES
        write_file(self.dim, path, points * scale, blocks, codes, draw, [])

    def area(self) -> float:
        """Return the area between two polygons, of arcs that are parabolas at order 2."""
        half = math.pi / self.around
        share = self.around * math.sin(2 * half) / 2
        if self.order == 2:
            share += self.around * 2 / 3 * 2 * math.sin(half) * (1 - math.cos(half))
        return share * (self.radii[-1] ** 2 - self.radii[0] ** 2)


def _on_the_arc(corners: np.ndarray) -> np.ndarray:
    """Return the place in the middle of corners (n, 3) by radius, angle and height."""
    radius = np.hypot(*corners[:, :2].T).mean()
    angles = np.arctan2(corners[:, 1], corners[:, 0])
    away = (angles - angles[0] + math.pi) % (2 * math.pi) - math.pi
    turn = angles[0] + away.mean()
    return np.array([radius * math.cos(turn), radius * math.sin(turn), corners[:, 2].mean()])


def rings(seed: int) -> Case:
    """Return a ring that is held along the normals of a curved side."""
    return _Rings(seed).case()


class _Rings:
    def __init__(self, seed: int):
        draw = self.draw = random.Random(f"rings{seed}")
        self.seed, self.geometry = seed, draw.choice(("solid", "plane_strain", "plane_stress"))
        self.dim = 3 if self.geometry == "solid" else 2
        self.body: Any = Ring(draw, self.dim)
        # in the middle of a chord a node is off the circle
        self.degree = self.body.order
        self.young, self.nu = 10 ** draw.uniform(6, 11), draw.uniform(-0.2, 0.45)
        size = 10 ** draw.uniform(-6, -3)
        self.grow = size * draw.choice((-1, 1)) * draw.uniform(0.3, 1)
        self.along = size * draw.uniform(-1, 1) if self.dim == 3 else 0.0
        big = size * self.body.radii[-1]
        turn, shift = size * draw.uniform(-1, 1), [big * draw.uniform(-1, 1) for _ in range(2)]
        self.u = [X * self.grow - Y * turn + shift[0], Y * self.grow + X * turn + shift[1]]
        if self.dim == 3:
            self.u.append(Z * self.along + big * draw.uniform(-1, 1))

    def _stresses(self) -> tuple[float, float]:
        """Return the stress in the section, the same in all its directions, and along the axis."""
        mu = self.young / (2 * (1 + self.nu))
        lam = self.young * self.nu / ((1 + self.nu) * (1 - 2 * self.nu))
        if self.geometry == "plane_stress":
            lam = 2 * lam * mu / (lam + 2 * mu)
        trace = 2 * self.grow + self.along
        return lam * trace + 2 * mu * self.grow, lam * trace + 2 * mu * self.along

    def _radial(self, side: str) -> Amount:
        """Return n·u on a circle."""
        radius = self.body.radii[-1] if side == "outer" else -self.body.radii[0]
        return Amount((X * self.u[0] + Y * self.u[1]) * (1 / radius), M)

    def case(self) -> Case:
        """Return the case."""
        draw, dim, (flat, along) = self.draw, self.dim, self._stresses()
        first, other = draw.sample(("inner", "outer"), 2)
        boundary: list[Tree] = [{"on": first, "normal": self._radial(first)}]
        pressed = {"on": other, "pressure": amount(-flat, PASCAL)}
        kind = draw.choice(("held", "normal", "pressed", "pressed"))
        if kind == "held":
            boundary.append({"on": other, "displacement": [Amount(f, M) for f in self.u]})
        else:
            boundary.append({"on": other, "normal": self._radial(other)} if kind == "normal" else pressed)
            boundary += self._stopped()
        if dim == 3:
            pull = {"on": "front", "traction": [amount(v, PASCAL) for v in (0.0, 0.0, along)]}
            boundary += [pull, {"on": "back", "normal": Amount(-self.u[2], M)}]
        material = {"young_modulus": amount(self.young, PASCAL), "poisson_ratio": amount(self.nu)}
        physics: Tree = {"type": "elasticity", "degree": self.degree, "material": material}
        physics["geometry"] = self.geometry
        deck: Tree = {"plexus": 1, "mesh": self.body.block(), "physics": physics}
        deck["solver"] = {"default": {"preconditioner": draw.choice(("lu", "gamg")), "rtol": 1e-12}}
        deck["boundary"] = draw.sample(boundary, len(boundary))
        exact = {f"displacement_{AXES[i]}": {None: f} for i, f in enumerate(self.u)}
        found = Case(self.seed, "rings", deck, self.body, self.degree, exact, units={"displacement": M})
        size = max(abs(flat), abs(along))
        for i, value in enumerate((flat, flat, along)[:dim]):
            block = {"type": "mean", "of": f"stress_{AXES[i]}{AXES[i]}"}
            found.quantity(f"stress_{AXES[i]}", block, value, PASCAL, size)
        volume = self.body.area() * (self.body.heights[-1] if dim == 3 else 1.0)
        work = flat * self.grow + along * self.along / 2
        energy = {"type": "integral", "of": "energy_density"}
        found.quantity("energy", energy, work * volume, JOULE if dim == 3 else times(JOULE, M, -1), 0.0)
        return found

    def _stopped(self) -> list[Tree]:
        """Return what keeps the ring from turning: a node is held along the circle."""
        corner = self.body.points(1)[0]
        t = np.array([-corner[1], corner[0]])
        i = int(np.abs(t).argmax())
        at = [amount(float(v), M) for v in corner]
        return [{"at": at, f"displacement_{AXES[i]}": Amount(self.u[i], M)}]
