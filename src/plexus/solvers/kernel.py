"""The kernel of a singular matrix: constants or rigid-body motions that no condition prevents.

Candidates are the near null vectors v_i. Those of their combinations that vanish at all constrained
unknowns, and that the matrix maps to zero in each row relative to its entries, span the kernel. PETSc then
keeps the Krylov iterates orthogonal to it, so that these modes keep the value of the initial guess, and
removes its part from the right-hand side, which has none if sources and loads balance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from petsc4py import PETSc

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

TINY = 1e-9
"""Relative size below which a product counts as zero."""


def modes(near: PETSc.NullSpace, mat: PETSc.Mat) -> np.ndarray:
    """Return the candidates on this rank, (owned unknowns, k), orthonormal over all ranks."""
    vectors = [v.getArray(readonly=True).copy() for v in near.getVecs()]
    # PETSc keeps the constant as a flag instead of a vector
    if near.hasConstant():
        n_local, n_global = mat.getSizes()[0]
        vectors.append(np.full(n_local, 1 / np.sqrt(n_global)))
    return np.stack(vectors, axis=1)


def free(mat: PETSc.Mat, near: PETSc.NullSpace, constrained: np.ndarray) -> np.ndarray | None:
    """Return an orthonormal basis of the modes that no prescribed value stops, or None. Collective.

    Parameters
    ----------
    mat : PETSc.Mat
        The matrix, for its sizes.
    near : PETSc.NullSpace
        Candidates.
    constrained : ndarray
        Owned unknowns (indices on this rank) with prescribed values.

    Returns
    -------
    ndarray, optional
        (owned unknowns, k)
    """
    return _combine(mat.comm.tompi4py(), modes(near, mat), lambda v: v[constrained], 1.0)


def find(mat: PETSc.Mat, basis: np.ndarray) -> np.ndarray | None:
    """Return an orthonormal basis of the kernel within that of `free`, or None. Collective."""
    comm, scale = mat.comm.tompi4py(), mat.norm(PETSc.NormType.INFINITY)
    found = _combine(comm, basis, lambda v: _products(mat, v), scale)
    if found is None:
        return None
    # rows of one field may be small beside those of another, or beside the ones of prescribed values
    kept = _combine(comm, found, lambda v: _products(mat, v) / _sizes(mat)[:, None], 1.0)
    # where all are confirmed, the basis is not turned
    return found if kept is not None and kept.shape == found.shape else kept


def _sizes(mat: PETSc.Mat) -> np.ndarray:
    """Return the magnitude of the diagonal on this rank, as the size of each row; one where it is zero."""
    diagonal = mat.getDiagonal()
    sizes = np.abs(diagonal.getArray())
    diagonal.destroy()
    return np.where(sizes > 0, sizes, 1.0)


def _combine(comm: Comm, basis: np.ndarray, image: object, scale: float) -> np.ndarray | None:
    """Return the combinations of the columns whose image under a linear map is zero."""
    # ‖Σ c_k y_k‖² = cᵀ G c with the Gram matrix G, so its null vectors are the combinations with image zero
    y = image(basis)  # type: ignore[operator]
    gram = comm.allreduce(y.T @ y)
    squares, vectors = np.linalg.eigh(gram)
    zero = squares <= (TINY * scale) ** 2 * len(squares)
    return basis @ vectors[:, zero] if zero.any() else None


def _products(mat: PETSc.Mat, columns: np.ndarray) -> np.ndarray:
    """Return A v for each column."""
    x, y = mat.createVecs()
    out = np.empty_like(columns)
    for k in range(columns.shape[1]):
        x.setArray(columns[:, k])
        mat.mult(x, y)
        out[:, k] = y.getArray(readonly=True)
    # vectors of several ranks live until they are destroyed: Python alone only puts them aside
    x.destroy()
    y.destroy()
    return out


def attach(mat: PETSc.Mat, basis: np.ndarray | None) -> None:
    """Tell PETSc about the kernel (None: there is none); it is removed from right-hand sides too."""
    vectors = []
    for column in () if basis is None else basis.T:
        v = mat.createVecRight()
        v.setArray(column)
        vectors.append(v)
    space = PETSc.NullSpace().create(vectors=vectors, comm=mat.comm)
    # the null space keeps iterates clean, that of the transpose makes right-hand sides consistent
    mat.setNullSpace(space)
    mat.setTransposeNullSpace(space)


def net_load(comm: Comm, basis: np.ndarray, residual: np.ndarray) -> tuple[float, float]:
    """Return the largest |Σ n_i r_i| and the largest Σ |n_i r_i| over the modes n. Collective."""
    products = basis * residual[:, None]
    net, total = comm.allreduce(np.stack([products.sum(axis=0), np.abs(products).sum(axis=0)]))
    return float(np.max(np.abs(net))), float(np.max(total))
