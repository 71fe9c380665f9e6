"""The coarse space of subdomains: on each the constants, of nodes with several unknowns the rigid motions.

Q = Z (Zᵀ A Z)⁻¹ Zᵀ,   Z the near null space cut to the subdomains without overlap (R. A. Nicolaides, 1987)
"""

from __future__ import annotations

import numpy as np
from petsc4py import PETSc

from plexus.solvers.multigrid.context import near_null_space
from plexus.solvers.multigrid.matrices import of_petsc
from plexus.solvers.multigrid.vectors import near_of


class Coarse:
    """Q of one matrix; every rank solves the small system. Construction is collective.

    Parameters
    ----------
    mat : PETSc.Mat
        A, symmetric.
    names : (n,)
        Subdomain of each own row.
    count : int
        Subdomains of all ranks.
    """

    def __init__(self, mat: PETSc.Mat, names: np.ndarray, count: int):
        self._comm, block = mat.comm.tompi4py(), mat.getBlockSize()
        self.near = near_of(of_petsc(mat), block, near_null_space(mat))
        self._names, self._size = names, count * self.near.shape[1]
        self._inverse = self._solved(mat)

    def _columns(self) -> np.ndarray:
        k = self.near.shape[1]
        return self._names[:, None] * k + np.arange(k)

    def _solved(self, mat: PETSc.Mat) -> np.ndarray:
        """Return (Zᵀ A Z)⁻¹, without the directions that A does not hold. Collective."""
        n, k = self.near.shape
        ptr, col = (a.astype(PETSc.IntType) for a in (np.arange(n + 1) * k, self._columns().ravel()))
        sizes = mat.getSizes()[0], (PETSc.DECIDE, self._size)
        z = PETSc.Mat().createAIJ(sizes, csr=(ptr, col, self.near.ravel()), comm=mat.comm)
        product = mat.ptap(z)
        begin, _ = product.getOwnershipRange()
        parts = self._comm.allgather((begin, *product.getValuesCSR()))
        full = np.zeros((self._size, self._size))
        for first, ptr, col, val in parts:
            full[first + np.repeat(np.arange(len(ptr) - 1), np.diff(ptr)), col] = val
        for held in (product, z):
            held.destroy()
        values, vectors = np.linalg.eigh((full + full.T) / 2)
        kept = values > 1e-12 * values.max(initial=0.0)
        return (vectors[:, kept] / values[kept]) @ vectors[:, kept].T

    def apply(self, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Set ``y`` to Q ``x``. Collective."""
        weighted = self.near * x.getArray(readonly=True)[:, None]
        columns = self._columns()
        own = np.bincount(columns.ravel(), weighted.ravel(), self._size)
        numbers = self._inverse @ self._comm.allreduce(own)
        y.setArray((self.near * numbers[columns]).sum(axis=1))
