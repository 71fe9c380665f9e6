"""The same hierarchy and cycles built of PETSc's own objects: nothing of Python in the loop.

Each level is a PCMG of two levels: Chebyshev-Jacobi smoothers on the given interval, or sums of such where
networks mix them, and below, one application of the next level's, or two steps of Chebyshev's or of flexible
conjugate gradients with it.
Vectors and matrices are PETSc's, of whatever type the finest matrix has, so that they live where that lives.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import numpy as np
from petsc4py import PETSc

from plexus.solvers.capi import library

if TYPE_CHECKING:
    from plexus.solvers.multigrid.hierarchy import Hierarchy
    from plexus.solvers.multigrid.matrices import Matrix
    from plexus_kernels.native.multigrid import Level

EXACT = 200
"""Rows up to which what is left is decomposed by singular values, so that a kernel does no harm."""


def build(hierarchy: Hierarchy, finest: PETSc.Mat, scale: float) -> PETSc.PC:
    """Return the cycle of a hierarchy that no rank has gathered, in double precision. Collective.

    The matrices of ``hierarchy`` are those of PETSc times ``scale``.
    """
    mats = [finest] + [_assembled(m, finest, scale) for m in hierarchy.matrices[1:]]
    pc = PETSc.PC().create(finest.comm)
    _cycle(pc, hierarchy, mats, 0)
    pc.setUp()
    return pc


def _cycle(pc: PETSc.PC, hierarchy: Hierarchy, mats: list[PETSc.Mat], number: int) -> None:
    """Make ``pc`` the cycle from a level on."""
    level, mat = hierarchy.levels[number], mats[number]
    pc.setOperators(mat)
    if number + 1 == len(mats):
        _direct(pc, hierarchy.matrices[number].size <= EXACT)
        return
    pc.setType("mg")
    pc.setMGLevels(2)
    pc.setMGInterpolation(1, _prolongation(hierarchy, number, mats))
    for smoother in (pc.getMGSmootherDown(1), pc.getMGSmootherUp(1)):
        smoother.setOperators(mat)
        _smoother(smoother, level)
    below = pc.getMGCoarseSolve()
    below.setOperators(mats[number + 1])
    last, bound = number + 2 == len(mats), hierarchy.bounds.get(number + 1)
    if last or (bound is None and hierarchy.settings.cycle != "k"):
        below.setType("preonly")
    elif bound is not None:
        _chebyshev(below, 2, *bound)
    else:
        below.setType("fcg")
        below.setTolerances(rtol=0.0, atol=0.0, max_it=2)
        below.setNormType(PETSc.KSP.NormType.NONE)
    _cycle(below.getPC(), hierarchy, mats, number + 1)


def _smoother(ksp: PETSc.KSP, level: Level) -> None:
    """Make ``ksp`` the smoother of a level: Chebyshev's iteration, or Σ_j ω_j times that of j steps."""
    if level.mixed is None:
        _chebyshev(ksp, level.degree, *level.smoother)
        ksp.getPC().setType("jacobi")
        return
    _richardson(ksp, 1.0)
    pc = ksp.getPC()
    pc.setType("composite")
    pc.setCompositeType(PETSc.PC.CompositeType.ADDITIVE)
    for number, share in enumerate(level.mixed - np.append(level.mixed[1:], 0.0)):
        pc.addCompositePCType("ksp")
        term = pc.getCompositePC(number).getKSP()
        _richardson(term, float(share))
        term.getPC().setType("ksp")
        steps = term.getPC().getKSP()
        _chebyshev(steps, number + 1, *level.smoother)
        steps.getPC().setType("jacobi")


def _richardson(ksp: PETSc.KSP, scale: float) -> None:
    """Make ``ksp`` one step of x ← x + scale M (b - A x)."""
    ksp.setType("richardson")
    ksp.setNormType(PETSc.KSP.NormType.NONE)
    ksp.setTolerances(max_it=1)
    library().KSPRichardsonSetScale(ctypes.c_void_p(ksp.handle), ctypes.c_double(scale))


def _chebyshev(ksp: PETSc.KSP, steps: int, low: float, high: float) -> None:
    """Make ``ksp`` some steps of Chebyshev's iteration for eigenvalues in an interval."""
    ksp.setType("chebyshev")
    ksp.setNormType(PETSc.KSP.NormType.NONE)
    ksp.setTolerances(max_it=steps)
    real = ctypes.c_double
    library().KSPChebyshevSetEigenvalues(ctypes.c_void_p(ksp.handle), real(high), real(low))


def _direct(pc: PETSc.PC, exact: bool) -> None:
    """Let every rank solve what is left."""
    prefix = f"plexus_direct_{pc.handle}_"
    database, name = PETSc.Options(), f"{prefix}redundant_pc_type"
    database.setValue(name, "svd" if exact else "lu")
    pc.setType("redundant")
    pc.setOptionsPrefix(prefix)
    pc.setFromOptions()
    pc.setUp()
    database.delValue(name)


def _assembled(matrix: Matrix, like: PETSc.Mat, scale: float) -> PETSc.Mat:
    """Return a matrix as PETSc's. Collective."""
    names = np.concatenate([np.arange(matrix.first, matrix.first + matrix.n), matrix.ghosts])
    return _mat((matrix.n, matrix.size), (matrix.n, matrix.size), matrix.rows.ptr, names[matrix.rows.col],
                matrix.rows.val / scale, like)  # fmt: skip


def _prolongation(hierarchy: Hierarchy, number: int, mats: list[PETSc.Mat]) -> PETSc.Mat:
    """Return P of a level. Collective."""
    level, fine, coarse = hierarchy.levels[number], *hierarchy.matrices[number : number + 2]
    assert level.names is not None
    inside = np.flatnonzero(level.names >= 0)
    k = 1 if level.weights is None else level.weights.shape[1]
    counts = np.zeros(fine.n + 1, np.int64)
    counts[inside + 1] = k
    col = (coarse.first + level.names[inside, None] * k + np.arange(k)).ravel()
    val = np.ones(len(col)) if level.weights is None else level.weights[inside].ravel()
    return _mat((fine.n, fine.size), (coarse.n, coarse.size), np.cumsum(counts), col, val, mats[0])


def _mat(
    rows: tuple[int, int], columns: tuple[int, int], ptr: np.ndarray, col: np.ndarray, val: np.ndarray,
    like: PETSc.Mat,
) -> PETSc.Mat:  # fmt: skip
    index = PETSc.IntType
    csr = ptr.astype(index), col.astype(index), val
    mat = PETSc.Mat().create(like.comm)
    mat.setType(like.getType())
    mat.setSizes((rows, columns))
    mat.setPreallocationCSR(csr)
    mat.assemble()
    return mat
