"""Inner products of controls as sparse matrices of this process: products, solves, joined blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from petsc4py import PETSc


class Gram:
    """A symmetric positive matrix (n, n) of which every rank has a copy.

    Parameters
    ----------
    rows, columns, values
        Entries; those of one place are added.
    """

    def __init__(self, n: int, rows: np.ndarray, columns: np.ndarray, values: np.ndarray):
        self.n = n
        place, which = np.unique(rows * n + columns, return_inverse=True)
        summed = np.bincount(which, weights=values, minlength=len(place)).astype(float)
        row, column = np.divmod(place, n)
        first = np.searchsorted(row, np.arange(n + 1)).astype(PETSc.IntType)
        csr = first, column.astype(PETSc.IntType), summed
        self.mat = PETSc.Mat().createAIJ((n, n), csr=csr, comm=PETSc.COMM_SELF)
        self.mat.assemble()
        self._ksp: PETSc.KSP | None = None

    @classmethod
    def of(cls, matrix: np.ndarray) -> Gram:
        """Return a dense matrix as one of these."""
        rows, columns = np.nonzero(matrix)
        return cls(len(matrix), rows, columns, matrix[rows, columns])

    @classmethod
    def joined(cls, parts: Sequence[Gram]) -> Gram:
        """Return the matrix with these blocks on its diagonal."""
        first, found = 0, []
        for part in parts:
            found.append([a + first for a in part.entries()[:2]] + [part.entries()[2]])
            first += part.n
        rows, columns, values = (np.concatenate(c) for c in zip(*found, strict=True))
        return cls(first, rows, columns, values)

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows, columns and values of all entries."""
        first, columns, values = self.mat.getValuesCSR()
        return np.repeat(np.arange(self.n), np.diff(first)), columns.copy(), values.copy()

    def plus(self, other: Gram, factor: float) -> Gram:
        """Return this matrix plus a multiple of another one."""
        a, b = self.entries(), other.entries()
        both = [np.concatenate(pair) for pair in zip(a, (b[0], b[1], factor * b[2]), strict=True)]
        return Gram(self.n, *both)

    def scaled(self, factor: float) -> Gram:
        """Return a multiple."""
        rows, columns, values = self.entries()
        return Gram(self.n, rows, columns, factor * values)

    def times(self, v: np.ndarray) -> np.ndarray:
        """Return the product with a vector (n,)."""
        x, y = self.mat.createVecs()
        x.setArray(v)
        self.mat.mult(x, y)
        return np.array(y.getArray())

    def solve(self, b: np.ndarray) -> np.ndarray:
        """Return the solution of the system with a right-hand side (n,)."""
        if self._ksp is None:
            self._ksp = PETSc.KSP().create(PETSc.COMM_SELF)
            self._ksp.setOperators(self.mat)
            self._ksp.setType("preonly")
            self._ksp.getPC().setType("cholesky")
        x, y = self.mat.createVecs()
        y.setArray(b)
        self._ksp.solve(y, x)
        return np.array(x.getArray())

    def dense(self) -> np.ndarray:
        """Return all entries, (n, n)."""
        rows, columns, values = self.entries()
        found = np.zeros((self.n, self.n))
        found[rows, columns] = values
        return found

    @property
    def definite(self) -> bool:
        """Whether no number is left free: every row has a positive diagonal."""
        return bool((self.mat.getDiagonal().getArray() > 0).all())
