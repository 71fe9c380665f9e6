"""Functions of PETSc's C interface that petsc4py does not offer."""

from __future__ import annotations

import ctypes
from functools import lru_cache

from petsc4py import PETSc

SETUP_ERROR = -1
"""PC_SETUP_ERROR."""


@lru_cache
def library() -> ctypes.CDLL:
    """Return the PETSc library in this process: symbols are found through the module that links it."""
    return ctypes.CDLL(PETSc.__file__)


def fail(pc: PETSc.PC) -> None:
    """Tell a preconditioner that its set-up failed: the solve above ends with DIVERGED_PCSETUP_FAILED."""
    library().PCSetFailedReason(ctypes.c_void_p(pc.handle), ctypes.c_int(SETUP_ERROR))
