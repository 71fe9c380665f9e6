"""The kernel of a singular matrix: constants or rigid motions of a body that no condition prevents.

Every body (`plexus.spaces.bodies`) has modes of its own: v_j is one in component j, or a translation, or a
rotation about its centre, with root mean square one. With A v = 0 in the rows of that body, relative to the
size of each row, nothing holds v. The measure of every mode is thus its own energy, whatever the units, the
size of the body, and what other bodies are made of. Combinations are separated step by step: those with a
clear image are held and leave, until the rest has no image beyond rounding.

PETSc then keeps the Krylov iterates orthogonal to the kernel, so that these modes keep the value of the
initial guess, and removes its part from the right-hand side, which has none if sources and loads balance.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.solvers.equations import Bodies, Equations

TINY = 1e-10
"""Size of an image, relative to its row, below which the matrix does not tell it from rounding."""
SURE = 1e-3
"""Size of an image, relative to its row, above which it is none of rounding, wherever the body lies."""
WEAK = 1e-5
"""Size of an image, relative to its row, below which a solve does not tell the mode to the last digits."""
APART = 1e-8
"""Ratio of squared images between combinations that one decomposition tells apart for sure."""


class Modes:
    """The motions of every body that cost no energy inside. Construction is collective.

    Attributes
    ----------
    columns : (unknowns of this rank, k)
        Mode j of each body, in the rows of that body; zero where there is no body.
    labels : (unknowns of this rank,) body of each row.
    rows : list of arrays
        Rows of each body on this rank.
    start : list of (k, r)
        Orthonormal combinations of each body's modes: r fewer where modes are not independent.
    """

    def __init__(self, form: Equations, bodies: Bodies, rigid: bool):
        space, self.comm = form.space, form.space.comm
        self.labels, self.count = bodies.labels.ravel(), bodies.count
        self._bodies = bodies
        self.rigid, self.components = rigid, space.components
        n, m = bodies.labels.shape
        if rigid:
            x, at = space.points[: space.n_owned], bodies.labels.max(axis=1, initial=-1)
            self._centres(x, at)
            columns = self.values(x, at)
        else:
            columns = np.broadcast_to(np.eye(m), (n, m, m))
        self.columns = np.where(self.labels[:, None] >= 0, columns.reshape(n * m, columns.shape[-1]), 0.0)
        order = np.argsort(self.labels, kind="stable")
        cuts = np.searchsorted(self.labels[order], np.arange(self.count + 1))
        self.rows = [order[a:b] for a, b in pairwise(cuts)]
        sizes = self.comm.allreduce(np.array([len(rows) for rows in self.rows], dtype=float))
        self.start = []
        for gram, size in zip(self.grams(self.columns), sizes, strict=True):
            squares, vectors = np.linalg.eigh(gram)
            kept = squares > 1e-10 * max(squares[-1], 1e-300)
            self.start.append(vectors[:, kept] * np.sqrt(size / squares[kept]))

    @cached_property
    def tiny(self) -> float:
        """Size of an image, relative to its row, that counts as rounding. Collective at the first access."""
        return max(TINY, self._bodies.blur)

    def clear(self, images: np.ndarray) -> np.ndarray:
        """Return which sizes of images, equal on all ranks, are more than rounding. Collective."""
        # where a body lies counts between these two only
        if not ((images > TINY) & (images <= SURE)).any():
            return images > SURE
        return images > min(self.tiny, SURE)

    def _centres(self, x: np.ndarray, at: np.ndarray) -> None:
        """Find the centre and the radius of every body. Collective."""
        inside = at >= 0
        sums = np.zeros((self.count, x.shape[1] + 1))
        np.add.at(sums, at[inside], np.column_stack([x[inside], np.ones(inside.sum())]))
        sums = self.comm.allreduce(sums)
        self._middle = sums[:, :-1] / np.maximum(sums[:, -1:], 1.0)
        radius = np.zeros(self.count)
        np.maximum.at(radius, at[inside], np.linalg.norm(x[inside] - self._middle[at[inside]], axis=1))
        self.comm.Allreduce(MPI.IN_PLACE, radius, MPI.MAX)
        self._radius = np.where(radius > 0, radius, 1.0)

    def values(self, x: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Return the modes of the bodies ``at`` (n,) at positions x (n, d), (n, m, k)."""
        m = self.components
        units = np.broadcast_to(np.eye(m), (len(x), m, m))
        if not self.rigid:
            return units
        y = (x - self._middle[at]) / self._radius[at, None]
        turns = np.zeros((len(x), m, m * (m - 1) // 2))
        for j, (a, b) in enumerate(zip(*np.triu_indices(m, 1), strict=True)):
            turns[:, a, j], turns[:, b, j] = -y[:, b], y[:, a]
        return np.concatenate([units, turns], axis=2)

    def grams(self, columns: np.ndarray) -> np.ndarray:
        """Return the Gram matrix of each body's rows, (bodies, k, k). Collective."""
        k = columns.shape[1]
        local = np.zeros((self.count, k, k))
        for body, rows in enumerate(self.rows):
            local[body] = columns[rows].T @ columns[rows]
        return self.comm.allreduce(local)

    def stopped(self, bodies: Bodies) -> bool:
        """Return whether prescribed values stop every mode of every body. Collective."""
        at, x, component = bodies.stops()
        k = self.columns.shape[1]
        local = np.zeros((self.count, k, k))
        if len(at):
            v = self.values(x, at)[np.arange(len(at)), component]
            np.add.at(local, at, v[:, :, None] * v[:, None, :])
        for gram, start in zip(self.comm.allreduce(local), self.start, strict=True):
            squares = np.linalg.eigvalsh(start.T @ gram @ start)
            if not squares[0] > 1e-10 * squares[-1]:
                return False
        return True


def products(mat: PETSc.Mat, columns: np.ndarray) -> np.ndarray:
    """Return A v for each column. Collective."""
    x, y = mat.createVecs()
    out = np.empty_like(columns)
    for k in range(columns.shape[1]):
        x.setArray(columns[:, k])
        mat.mult(x, y)
        out[:, k] = y.getArray(readonly=True)
    x.destroy()
    y.destroy()
    return out


def row_sizes(mat: PETSc.Mat, symmetric: bool) -> np.ndarray:
    """Return the size of the entries of each row of this rank; one where there are none. Collective."""
    diagonal = mat.getDiagonal()
    sizes = np.abs(diagonal.getArray())
    if not symmetric:
        # without a large diagonal, products with signs that follow no pattern tell the size of the others
        start = mat.getOwnershipRange()[0]
        for seed in (0.5, 0.8):
            signs = np.sign(np.sin(1e4 * seed * (start + 1.0 + np.arange(len(sizes)))))
            sizes = np.maximum(sizes, np.abs(products(mat, signs[:, None])[:, 0]))
    diagonal.destroy()
    return np.where(sizes > 0, sizes, 1.0)


def find(mat: PETSc.Mat, modes: Modes, sizes: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the combinations (k, r) of each body's modes that nothing holds, and that hardly anything does.

    Collective. ``sizes`` are those of `row_sizes`.
    """
    image = products(mat, modes.columns) / sizes[:, None]
    left, done = list(modes.start), [False] * modes.count
    weak = [start[:, :0] for start in left]
    for _ in range(modes.columns.shape[1]):
        if all(done):
            break
        for body, gram in enumerate(modes.grams(image)):
            left[body] = left[body] @ np.linalg.eigh(left[body].T @ gram @ left[body])[1]
        largest = _largest(modes, image, left)
        for body in range(modes.count):
            high = largest[body, : left[body].shape[1]]
            top = high.max(initial=0.0)
            held = modes.clear(high) & (high**2 > APART * top**2)
            weak[body] = np.hstack([weak[body], left[body][:, held & (high < WEAK)]])
            left[body], done[body] = left[body][:, ~held], not held.any()
    return left, weak


def _largest(modes: Modes, image: np.ndarray, combinations: list[np.ndarray]) -> np.ndarray:
    """Return the largest entry of the image of every combination, (bodies, k). Collective."""
    found = np.zeros((modes.count, image.shape[1]))
    for body, (rows, c) in enumerate(zip(modes.rows, combinations, strict=True)):
        found[body, : c.shape[1]] = np.abs(image[rows] @ c).max(axis=0, initial=0.0)
    modes.comm.Allreduce(MPI.IN_PLACE, found, MPI.MAX)
    return found


def basis(modes: Modes, combinations: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return orthonormal columns (unknowns of this rank, K) of all bodies, and the body of each, (K,)."""
    owner = np.repeat(np.arange(modes.count), [c.shape[1] for c in combinations])
    columns = np.zeros((len(modes.columns), len(owner)))
    for body in np.unique(owner):
        rows, place = modes.rows[body], np.flatnonzero(owner == body)
        columns[np.ix_(rows, place)] = modes.columns[rows] @ combinations[body]
    # combinations are orthogonal already; only their length is that of the body
    squares = modes.comm.allreduce(np.einsum("nk,nk->k", columns, columns))
    return columns / np.sqrt(squares), owner


def attach(mat: PETSc.Mat, columns: np.ndarray | None) -> None:
    """Tell PETSc about the kernel (None: there is none); it is removed from right-hand sides too."""
    vectors = []
    for column in () if columns is None else columns.T:
        v = mat.createVecRight()
        v.setArray(column)
        vectors.append(v)
    space = PETSc.NullSpace().create(vectors=vectors, comm=mat.comm)
    # the null space keeps iterates clean, that of the transpose makes right-hand sides consistent
    mat.setNullSpace(space)
    mat.setTransposeNullSpace(space)
    # PETSc copies what it keeps
    for v in vectors:
        v.destroy()
    space.destroy()


def net_loads(comm: Comm, columns: np.ndarray, residual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return |Σ n_i r_i| and Σ |n_i r_i| for each mode n, (K,) each. Collective."""
    products = columns * residual[:, None]
    net, total = comm.allreduce(np.stack([products.sum(axis=0), np.abs(products).sum(axis=0)]))
    return np.abs(net), total
