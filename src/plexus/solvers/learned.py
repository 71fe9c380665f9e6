"""Preconditioners for any program that uses PETSc, by name: ``-pc_type python -pc_python_type …``.

`Multigrid` is what decks call ``aggregation`` and ``learned_multigrid``, `Schwarz` is ``schwarz``; their
options stand in `plexus.solvers.multigrid.context` and `plexus.solvers.schwarz.context`.
"""

from __future__ import annotations

import ctypes
import weakref

from petsc4py import PETSc

from plexus.solvers.capi import library
from plexus.solvers.multigrid import watched
from plexus.solvers.schwarz import context


class _Leaves:
    """Leaves its solver before the interpreter ends, when PETSc can no longer call it."""

    _end: weakref.finalize | None = None

    def setUp(self, pc: PETSc.PC) -> None:
        """Get ready for a matrix. Collective."""
        if self._end is None:
            # a number, no reference: the solver owns this object
            self._end = weakref.finalize(self, _leave, pc.handle)
        super().setUp(pc)  # type: ignore[misc]

    def destroy(self, pc: PETSc.PC) -> None:
        """Let go of what belongs to a matrix."""
        if self._end is not None:
            self._end.detach()
        super().destroy(pc)  # type: ignore[misc]


class Multigrid(_Leaves, watched.Watched):
    """The multigrid."""


class Schwarz(_Leaves, context.Schwarz):
    """Subdomains and a coarse space."""


def _leave(handle: int) -> None:
    """Make the preconditioner with this address one of PETSc's own."""
    library().PCSetType(ctypes.c_void_p(handle), b"none")
