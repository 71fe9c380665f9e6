"""PETSc's coordinate (COO) assembly: by petsc4py's methods, by ctypes, or by compressed rows.

petsc4py wraps the two calls only in newer versions. Its extension module is linked to the PETSc library
that it uses, so that a handle on the module finds the C functions of exactly that library. Where the
symbols are hidden, sorted compressed rows take over: the same matrix, slower to fill.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from petsc4py import PETSc

Insert = Callable[[np.ndarray], None]


def coo(mat: PETSc.Mat, rows: np.ndarray, cols: np.ndarray) -> Insert:
    """Preallocate ``mat`` for entries (rows, cols), global, each once; return a function that stores values.

    The returned function takes the values in the order of the entries and replaces the matrix by them.
    Both are collective. PETSc may reorder ``rows`` and ``cols``: do not use them afterwards.

    Raises
    ------
    PETSc.Error
        If PETSc refuses the call.
    """
    if hasattr(mat, "setPreallocationCOO"):
        return _by_method(mat, rows, cols)
    library = _library()
    return _by_rows(mat, rows, cols) if library is None else _by_ctypes(library, mat, rows, cols)


@lru_cache
def _library() -> ctypes.CDLL | None:
    """Return a handle that resolves the COO functions, with their signatures set, or None."""
    try:
        library = ctypes.CDLL(PETSc.__file__)
        prepare, store = library.MatSetPreallocationCOO, library.MatSetValuesCOO
    except (OSError, AttributeError):
        return None
    integer = np.ctypeslib.ndpointer(PETSc.IntType, flags="C_CONTIGUOUS")
    scalar = np.ctypeslib.ndpointer(PETSc.ScalarType, flags="C_CONTIGUOUS")
    prepare.argtypes = [ctypes.c_void_p, ctypes.c_ssize_t, integer, integer]
    store.argtypes = [ctypes.c_void_p, scalar, ctypes.c_int]
    prepare.restype = store.restype = ctypes.c_int
    return library


def _by_method(mat: PETSc.Mat, rows: np.ndarray, cols: np.ndarray) -> Insert:
    mat.setPreallocationCOO(rows, cols)
    return lambda values: mat.setValuesCOO(values, PETSc.InsertMode.INSERT_VALUES)


def _by_ctypes(library: ctypes.CDLL, mat: PETSc.Mat, rows: np.ndarray, cols: np.ndarray) -> Insert:
    def check(code: int) -> None:
        if code:
            raise PETSc.Error(code)

    check(library.MatSetPreallocationCOO(mat.handle, len(rows), rows, cols))

    def store(values: np.ndarray) -> None:
        check(library.MatSetValuesCOO(mat.handle, values, int(PETSc.InsertMode.INSERT_VALUES)))
        mat.stateIncrease()

    return store


def _by_rows(mat: PETSc.Mat, rows: np.ndarray, cols: np.ndarray) -> Insert:
    order = np.lexsort((cols, rows))
    n = mat.getLocalSize()[0]
    start = mat.comm.tompi4py().scan(n) - n
    pointer = np.searchsorted(rows[order], start + np.arange(n + 1)).astype(PETSc.IntType)
    columns = np.ascontiguousarray(cols[order])
    mat.setPreallocationCSR((pointer, columns))

    def store(values: np.ndarray) -> None:
        mat.setValuesCSR(pointer, columns, values[order])
        mat.assemble()

    return store
