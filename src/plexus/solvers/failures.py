"""PETSc's own errors in a person's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from petsc4py import PETSc

from plexus.errors import InputError, SolveError

WRONG_SETTING = (56, 60, 62, 63, 83, 86, 92)
"""PETSc codes that a solver block causes: no support, wrong sizes or arguments, out of range, user error,
unknown type, missing package."""


@contextmanager
def in_words(path: str) -> Iterator[None]:
    """Turn a PETSc error of the block into one line that starts with the deck path ``path``.

    Raises
    ------
    InputError
        If the settings are to blame.
    SolveError
        For all other PETSc errors, e.g. a failed factorisation or too little memory.
    Exception
        What a callback of ours raised inside PETSc, unchanged.
    """
    try:
        yield
    except PETSc.Error as wrapped:
        error = _first(wrapped)
        if not isinstance(error, PETSc.Error):
            raise error from None
        kind = InputError if error.ierr in WRONG_SETTING else SolveError
        raise kind(f"{path}: PETSc: {_last_line(error)}") from error


def _first(error: BaseException) -> BaseException:
    """Return what one of our callbacks raised, if that is why PETSc failed, else the error itself."""
    # petsc4py 3.18 lets exceptions of callbacks through, 3.26 makes them the cause of its own error
    while isinstance(error, PETSc.Error) and error.__cause__ is not None:
        error = error.__cause__
    return error


def _last_line(error: PETSc.Error) -> str:
    """Return the innermost message: PETSc lists the call stack first, then what went wrong."""
    # "[0] KSPSolve() at file.c:10" lines are the stack, other lines what went wrong
    lines = [line.partition("] ")[2] for line in str(error).splitlines() if line.startswith("[")]
    said = [line for line in lines if "() at " not in line]
    return said[-1].strip() if said else f"error code {error.ierr}"
