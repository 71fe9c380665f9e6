"""Elastic bodies that turn, and bodies cured against locking, with polynomial displacements.

Rotation gives a force ρ ω² r⊥ of the volume; the deck's body force is the rest of -∇·σ. With B-bar the
dilatation of a cell is one of a lower degree: constant on simplices, linear on other cells of degree 2.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from oracles.cases import Case, Tree
from oracles.leaves import Amount, M, amount, dims
from oracles.polynomials import AXES, Poly
from oracles.shapes import SIMPLEX
from oracles.solids import _Solid

T = Poly.variable("t")


def spun(seed: int) -> Case:
    """Return a body under the load of its rotation."""
    return _Spun(seed).case()


def locked(seed: int) -> Case:
    """Return a body of a nearly incompressible material with ``locking: b_bar``."""
    return _Locked(seed).case()


class _Spun(_Solid):
    def __init__(self, seed: int):
        choice = ("solid", "solid", "plane_strain", "plane_stress", "axisymmetric")
        super().__init__(seed, random.Random(f"spun{seed}").choice(choice))
        self.family = "spun"
        draw = self.draw
        self.rho, reach = 10 ** draw.uniform(2, 4), self._reach()
        size = max(self.young.values()) * self.strain / (self.rho * reach)
        self.speed = Poly.of((size / reach) ** 0.5 * draw.uniform(0.3, 2))
        if self.ramped:
            self.speed = self.speed * T * (1 / self.end)
        self.axis = [draw.uniform(-1, 1) for _ in range(self.dim)]
        self.inside = self.dim == 3 or (not self.radial and draw.random() < 0.3)
        self.point = [draw.uniform(-1, 1) * reach if draw.random() < 0.7 else 0.0 for _ in range(self.dim)]
        if self.radial:
            self.point = [0.0, 0.0]

    def _pull(self) -> list[Poly]:
        """Return ω² times what is at right angles to the axis."""
        r = [Poly.variable(a) - p for a, p in zip(AXES, self.point, strict=False)]
        e = np.array([0.0, 1.0] if self.radial else self.axis)
        e = e / np.linalg.norm(e)
        along = sum((c * float(v) for c, v in zip(r, e, strict=True)), Poly())
        if not self.inside and not self.radial:
            along = Poly()
        square = self.speed * self.speed
        return [square * (c - along * float(v)) for c, v in zip(r, e, strict=True)]

    def _force(self, key: Any) -> list[Poly]:
        return [f - p * self.rho for f, p in zip(super()._force(key), self._pull(), strict=True)]

    def _loads(self, physics: Tree, material: Tree) -> None:
        super()._loads(physics, material)
        if "gravity" in physics:
            # the same weight of a body with this density
            share = material["density"].value.constant / self.rho
            physics["gravity"] = [amount(g.value * share, g.dims) for g in physics["gravity"]]
        material["density"] = amount(self.rho, dims(-3, 1))
        block: Tree = {"speed": Amount(self.speed, dims(s=-1))}
        if self.inside:
            block["axis"] = self.axis
        if any(self.point):
            block["point"] = [amount(v, M) for v in self.point]
        physics["rotation"] = block


class _Locked(_Solid):
    def __init__(self, seed: int):
        choice = ("solid", "plane_strain", "axisymmetric")
        super().__init__(seed, random.Random(f"locked{seed}").choice(choice))
        self.family = "locked"

    def _displacement(self) -> dict[Any, list[Poly]]:
        self.nu = {key: self.draw.choice((0.3, 0.49, 0.499, 0.4995)) for key in self.keys}
        degree = self.degree
        if SIMPLEX[self.body.cell]:
            degree = 2
            self.degree, self.heat = 1, Poly.of(self.heat.at(x=0.0, y=0.0, z=0.0))
        found = super()._displacement()
        self.degree = degree
        return found

    def _physics(self) -> Tree:
        return {**super()._physics(), "locking": "b_bar"}
