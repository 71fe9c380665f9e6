"""Small meshes and equations that the tests of the spaces share."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from mpi4py import MPI

from plexus.fields.arrays import einsum, eye, like
from plexus.mesh.cells import reference
from plexus.mesh.lattice import build_box
from plexus.mesh.mesh import Mesh
from plexus.protocols import FieldSpec, Flux, Tangent
from plexus.spaces.lagrange import Space

CELLS = ("line", "triangle", "quadrilateral", "tetrahedron", "hexahedron")


def box(
    cell: str, cells: tuple[int, ...], periodic: tuple[bool, ...] = (), degree: int = 1, comm: Any = None
) -> Mesh:
    """Build a unit box with ``cells`` cubes per axis."""
    ticks = [np.linspace(0, 1, degree * n + 1) for n in cells]
    return build_box(comm or MPI.COMM_WORLD, cell, degree, ticks, periodic or (False,) * len(cells))


def cubes(cell: str, n: int) -> tuple[int, ...]:
    """Return n cubes along each axis of the cell's dimension."""
    return (n,) * reference(cell).dim


def far(cell: str) -> str:
    """Return a side that does not lie opposite to the left one, where there is one."""
    return "right" if cell == "line" else "top"


def space_of(mesh: Mesh, degree: int, equation: Any) -> Space:
    """Return the space of an equation's unknown."""
    spec = equation.field
    return Space(mesh, degree, spec.components(mesh.dim), scalar=spec.shape == "scalar")


@dataclass
class Diffusion:
    """f0 = c u_t + r u - s, f1 = k ∇u with constant or position-dependent k."""

    k: Any = 1.0
    r: float = 0.0
    s: float = 0.0
    c: float = 0.0
    thickness: float | None = None
    linear: bool = True
    field: FieldSpec = field(default_factory=lambda: FieldSpec("temperature", "K"))
    near_nullspace: str = "constant"

    @property
    def fields(self) -> tuple[FieldSpec]:
        return (self.field,)

    def _k(self, p: Any) -> Any:
        return self.k(p.x) if callable(self.k) else self.k * p.one

    def flux(self, p: Any) -> Flux:
        return Flux(self.c * p.rate + self.r * p.u - self.s, self._k(p)[..., None] * p.grad)

    def tangent(self, p: Any) -> Tangent:
        k = self._k(p)
        c11 = k[..., None, None] * eye(p.dim, k)
        return Tangent(c00=self.r * p.one, m00=self.c * p.one, c11=c11, symmetric=True)

    def measure(self, x: Any) -> Any:
        return None if self.thickness is None else self.thickness + 0 * x[..., 0]


@dataclass
class Elasticity:
    """Isotropic small strain: f1 = λ tr ε I + 2 μ ε with constant λ, μ."""

    lam: float = 1.3
    mu: float = 0.7
    linear: bool = True
    field: FieldSpec = field(default_factory=lambda: FieldSpec("displacement", "m", "vector"))
    near_nullspace: str = "rigid"

    @property
    def fields(self) -> tuple[FieldSpec]:
        return (self.field,)

    def tensor(self, d: int) -> np.ndarray:
        i = np.eye(d)
        return self.lam * np.einsum("ak,bl->akbl", i, i) + self.mu * (
            np.einsum("ab,kl->akbl", i, i) + np.einsum("al,kb->akbl", i, i)
        )

    def flux(self, p: Any) -> Flux:
        return Flux(None, einsum("akbl,cqbl->cqak", like(self.tensor(p.dim), p.one), p.grad))

    def tangent(self, p: Any) -> Tangent:
        return Tangent(c11=like(self.tensor(p.dim), p.one)[None, None], symmetric=True)

    def measure(self, x: Any) -> None:
        return None


def monomials(dim: int, degree: int) -> list[tuple[Any, Any]]:
    """Return all monomials of total degree ≤ ``degree`` as pairs (f(x (N, d)), ∇f(x))."""

    def pair(p: tuple[int, ...]) -> tuple[Any, Any]:
        def f(x: np.ndarray) -> np.ndarray:
            return np.prod(x ** np.array(p), axis=-1)

        def gradient(x: np.ndarray) -> np.ndarray:
            parts = []
            for i in range(dim):
                lower = np.array(p)
                lower[i] = max(p[i] - 1, 0)
                parts.append(p[i] * np.prod(x**lower, axis=-1))
            return np.stack(parts, axis=-1)

        return f, gradient

    return [pair(p) for p in product(range(degree + 1), repeat=dim) if sum(p) <= degree]


def gathered(mat: Any) -> np.ndarray:
    """Return the whole matrix on every rank, dense, rows by global number."""
    start, end = mat.getOwnershipRange()
    n = mat.getSizes()[1][1]
    own = np.zeros((end - start, n))
    for i in range(start, end):
        cols, values = mat.getRow(i)
        own[i - start, cols] = values
    return np.concatenate(mat.comm.tompi4py().allgather(own))


def dense(form: Any) -> np.ndarray:
    """Return the Jacobian as columns of residual differences of a linear form, unknown by unknown."""
    space = form.space
    m = space.components
    zero = form.residual(0, space.zeros(), None, {})
    columns = []
    for j in range(space.n_global * m):
        u = space.zeros()
        u[space.node_global == j // m, j % m] = 1
        columns.append(form.residual(0, u, None, {}).ravel() - zero.ravel())
    return np.concatenate(space.comm.allgather(np.stack(columns, axis=1)))
