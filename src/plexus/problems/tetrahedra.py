"""A body of two materials on tetrahedra of degree 1, held at its lower side: diffusion or elasticity.

    -∇·(k ∇u) = f,   or   -∇·σ = f,  σ = E (λ tr ε 1 + 2μ ε),  ε = (∇u + ∇uᵀ)/2,  Poisson's ratio 0.3

The unit cube has `cells`³ cubes of six tetrahedra each; nodes inside are moved by up to a quarter of a
cube's edge per axis, so that couplings of both signs arise. 8 to 39 balls of radius 0.05 to 0.2 have the
coefficient (k or E) `contrast`, the rest has one; without `contrast` it is 10^U(0, 4). Nodes at z = 0 are
held and have no unknown. b is standard normal, of seed 1. Symmetric positive definite. Source: O. C.
Zienkiewicz, R. L. Taylor, J. Z. Zhu, The Finite Element Method, 7th ed. (2013),
doi:10.1016/C2009-0-24909-9.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import field_validator

from plexus.deck.params import Field, Params
from plexus.deck.values import refuse
from plexus.protocols import Layout, LinearSystem, Outline
from plexus.registry import register

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

EXAMPLE: dict[str, Any] = {"type": "tetrahedra", "cells": [6, 6, 6], "seed": 0}
MOVED, POISSON = 0.25, 0.3


class TetrahedraParams(Params):
    """Parameters of `Tetrahedra`."""

    cells: tuple[Annotated[int, Field(ge=2, le=512)], ...] = Field(
        description="cubes per axis, three equal numbers"
    )
    equation: Literal["diffusion", "elasticity"] = Field("diffusion", description="one or three unknowns")
    contrast: float | None = Field(None, gt=0, description="coefficient inside of the balls")
    seed: int = Field(ge=0, lt=2**63, description="seed of nodes, balls, and of the contrast if left out")

    @field_validator("cells")
    @classmethod
    def _a_cube(cls, cells: tuple[int, ...]) -> tuple[int, ...]:
        if len(cells) != 3 or len(set(cells)) > 1:
            raise refuse(f"expected three equal numbers, the body is a cube, not {list(cells)}")
        return cells


@register("problem", "tetrahedra", TetrahedraParams)
class Tetrahedra:
    """A cube of tetrahedra."""

    sequence = False
    symmetric: bool | None = True
    definite = True
    shows = ()

    def __init__(self, params: TetrahedraParams):
        self.params, self.components = params, 1 if params.equation == "diffusion" else 3

    def outline(self) -> Outline:
        """Return the sizes; a node has at most 14 neighbours."""
        n = self.params.cells[0]
        count = (n + 1) ** 2 * n
        return Outline(count, self.components, 15 * count * self.components**2, 3)

    def layout(self, comm: Comm) -> Layout:
        """Return even shares of the nodes."""
        points = self._points(np.random.default_rng(self.params.seed))
        free = points[points[:, 2] > 0]
        first, last = (len(free) * (comm.rank + k) // comm.size for k in (0, 1))
        return Layout(comm, self.components, last - first, first, len(free), points=free[first:last])

    def system(self, layout: Layout, t: float) -> LinearSystem:
        """Return the own rows."""
        draw, m = np.random.default_rng(self.params.seed), self.components
        points = self._points(draw)
        cells = _tetrahedra(self.params.cells[0])
        k = self._coefficient(draw, points[cells].mean(axis=1))
        free = points[:, 2] > 0
        number = np.where(free, np.cumsum(free) - 1, -1)
        local, nodes = _stiffness(points[cells], k, m), number[cells]
        first, last = layout.offset * m, (layout.offset + layout.n_owned) * m
        rows = _rows(local, nodes, m, first, last)
        rhs = np.random.default_rng(1).standard_normal(int(free.sum()) * m)[first:last]
        return LinearSystem(*rows, rhs, near=None if m == 1 else _rigid(layout.points))

    def _points(self, draw: np.random.Generator) -> np.ndarray:
        """Return all nodes, (N, 3), those at z = 0 included; z grows first."""
        n = self.params.cells[0]
        lattice = np.stack(np.meshgrid(*[np.arange(n + 1.0)] * 3, indexing="ij"), -1).reshape(-1, 3)
        inside = (lattice > 0) & (lattice < n)
        return np.asarray((lattice + inside * draw.uniform(-MOVED, MOVED, lattice.shape)) / n)

    def _coefficient(self, draw: np.random.Generator, centres: np.ndarray) -> np.ndarray:
        """Return the coefficient at centres (T, 3)."""
        contrast = 10 ** draw.uniform(0, 4)
        balls = draw.uniform(size=(int(draw.integers(8, 40)), 4)) * [1, 1, 1, 0.15] + [0, 0, 0, 0.05]
        inside = np.zeros(len(centres), bool)
        for *middle, radius in balls:
            inside |= ((centres - middle) ** 2).sum(axis=1) < radius**2
        return np.where(inside, self.params.contrast or contrast, 1.0)


def _tetrahedra(n: int) -> np.ndarray:
    """Return the nodes of all tetrahedra, (6 n³, 4): each goes along the axes of a cube in one order."""
    corner = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), -1).reshape(-1, 3)
    width = np.array([(n + 1) ** 2, n + 1, 1])
    paths = np.array([np.cumsum([0, *width[list(order)]]) for order in permutations(range(3))])
    return np.asarray(((corner @ width)[:, None, None] + paths).reshape(-1, 4))


def _stiffness(x: np.ndarray, k: np.ndarray, m: int) -> np.ndarray:
    """Return the matrices of cells with corners x (T, 4, 3), (T, 4, m, 4, m)."""
    edges = x[:, 1:] - x[:, :1]
    slopes = np.linalg.inv(edges).transpose(0, 2, 1)
    slopes = np.concatenate([-slopes.sum(axis=1, keepdims=True), slopes], axis=1)
    weight = k * np.abs(np.linalg.det(edges)) / 6
    along = np.einsum("t,tai,tbi->tab", weight, slopes, slopes)
    along = 0.5 * (along + along.transpose(0, 2, 1))
    if m == 1:
        return along[:, :, None, :, None]
    mu, lam = 0.5 / (1 + POISSON), POISSON / ((1 + POISSON) * (1 - 2 * POISSON))
    outer = np.einsum("t,tai,tbj->taibj", weight, slopes, slopes)
    found = lam * outer + mu * outer.transpose(0, 1, 4, 3, 2)
    found += mu * along[:, :, None, :, None] * np.eye(3)[None, None, :, None, :]
    return 0.5 * (found + found.transpose(0, 3, 4, 1, 2))


def _rows(
    local: np.ndarray, nodes: np.ndarray, m: int, first: int, last: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return compressed rows from ``first`` to ``last``; nodes of -1 are left out."""
    unknown = np.where(nodes < 0, -1, nodes * m)[:, :, None] + np.arange(m)
    unknown[nodes < 0] = -1
    i = np.broadcast_to(unknown[:, :, :, None, None], local.shape).ravel()
    j = np.broadcast_to(unknown[:, None, None, :, :], local.shape).ravel()
    kept = (i >= first) & (i < last) & (j >= 0)
    i, j, a = i[kept] - first, j[kept], local.ravel()[kept]
    order = np.lexsort((j, i))
    i, j, a = i[order], j[order], a[order]
    begin = np.flatnonzero(np.concatenate([[True], (np.diff(i) != 0) | (np.diff(j) != 0)]))
    pointer = np.concatenate([[0], np.cumsum(np.bincount(i[begin], minlength=last - first))])
    return pointer, j[begin], np.add.reduceat(a, begin)


def _rigid(x: np.ndarray | None) -> np.ndarray:
    """Return the rigid motions of nodes x (n, 3), (3n, 6)."""
    assert x is not None
    found = np.zeros((len(x), 3, 6))
    found[:, :, :3] = np.eye(3)
    for column, (a, b) in enumerate(((0, 1), (1, 2), (0, 2)), 3):
        found[:, a, column], found[:, b, column] = -x[:, b], x[:, a]
    return found.reshape(-1, 6)
