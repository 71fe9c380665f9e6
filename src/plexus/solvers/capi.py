"""Functions of PETSc's C interface that petsc4py does not offer."""

from __future__ import annotations

import ctypes
from functools import lru_cache

import numpy as np
from petsc4py import PETSc

from plexus.errors import InputError

SETUP_ERROR = -1
"""PC_SETUP_ERROR."""
GLOBAL_SUM, NZ_USED = 3, 2
"""MAT_GLOBAL_SUM, and the place of nz_used in MatInfo."""
ASSEMBLED, CONVERTED = ("aij", "baij", "dense", "sell"), ("sbaij", "nest")
"""Types of matrices that tell their rows, and of those that another one must tell for them."""


@lru_cache
def library() -> ctypes.CDLL:
    """Return the PETSc library in this process: symbols are found through the module that links it."""
    return ctypes.CDLL(PETSc.__file__)


def fail(pc: PETSc.PC) -> None:
    """Tell a preconditioner that its set-up failed: the solve above ends with DIVERGED_PCSETUP_FAILED."""
    library().PCSetFailedReason(ctypes.c_void_p(pc.handle), ctypes.c_int(SETUP_ERROR))


def failed(pc: PETSc.PC) -> bool:
    """Return whether the set-up of a preconditioner of one rank failed."""
    reason = ctypes.c_int()
    library().PCGetFailedReason(ctypes.c_void_p(pc.handle), ctypes.byref(reason))
    return reason.value != 0


def entries_below(pc: PETSc.PC) -> list[float]:
    """Return the entries of the coarse matrices that hypre has made. Collective."""
    count, mats = ctypes.c_int(), ctypes.POINTER(ctypes.c_void_p)()
    library().PCGetCoarseOperators(ctypes.c_void_p(pc.handle), ctypes.byref(count), ctypes.byref(mats))
    found = []
    for number in range(count.value - 1):
        # what is hypre's does not tell its size
        theirs, copy, told = ctypes.c_void_p(mats[number]), ctypes.c_void_p(), (ctypes.c_double * 10)()
        library().MatConvert(theirs, b"aij", 0, ctypes.byref(copy))
        library().MatGetInfo(copy, GLOBAL_SUM, told)
        found.append(told[NZ_USED])
        for held in (copy, theirs):
            library().MatDestroy(ctypes.byref(held))
    return found


def rows(mat: PETSc.Mat) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the own rows of a matrix: ptr, global columns, values.

    Those of a matrix of one rank are its own memory, to be read as long as it does not change; other ranks'
    are copies.

    Raises
    ------
    InputError
        If the matrix has no entries, only products.
    """
    kind = mat.getType()
    if kind.endswith(CONVERTED):
        other = mat.convert("aij", PETSc.Mat())
        found: tuple[np.ndarray, np.ndarray, np.ndarray] = other.getValuesCSR()
        other.destroy()
        return found
    if not kind.removeprefix("seq").removeprefix("mpi").startswith(ASSEMBLED):
        raise InputError(
            f"a multigrid is made of entries, and a matrix of type {kind} has none: give an assembled one "
            "for the preconditioner"
        )
    if kind != "seqaij" or np.dtype(PETSc.IntType).itemsize != 4:
        ptr, col, val = mat.getValuesCSR()
        return ptr, col, val
    at, n, done = ctypes.c_void_p(mat.handle), ctypes.c_int(), ctypes.c_int()
    ia, ja, a = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    refs = [ctypes.byref(x) for x in (n, ia, ja, done)]
    library().MatGetRowIJ(at, ctypes.c_int(0), ctypes.c_int(0), ctypes.c_int(0), *refs)
    library().MatSeqAIJGetArrayRead(at, ctypes.byref(a))
    ptr = _view(ia, n.value + 1, np.int32)
    return ptr, _view(ja, int(ptr[-1]), np.int32), _view(a, int(ptr[-1]), np.float64)


def _view(at: ctypes.c_void_p, count: int, kind: type) -> np.ndarray:
    """Return numbers in PETSc's memory, which cannot be written."""
    if not count:
        return np.empty(0, kind)
    memory = (ctypes.c_char * (count * np.dtype(kind).itemsize)).from_address(at.value or 0)
    # arrays of ctypes are buffers, which the types do not tell
    found: np.ndarray = np.frombuffer(memory, dtype=kind)  # type: ignore[call-overload]
    found.flags.writeable = False
    return found
