"""Preconditioners in Python inside PETSc's solvers: they are put there, their calls counted and timed.

A context gets to PETSc as an object, never by a name in PETSc's options. It goes with the object that
installed it, at the latest with the interpreter: PETSc ends later, when Python can no longer be called.
"""

from __future__ import annotations

import time
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from petsc4py import PETSc

    from plexus.protocols import PcContext


class Shell:
    """A context that counts.

    Attributes
    ----------
    applications : int
        Calls of ``apply`` so far.
    seconds : float
        Time in ``setUp`` so far, on this rank.
    """

    def __init__(self, context: PcContext):
        self._context = context
        self.applications, self.seconds = 0, 0.0

    def setUp(self, pc: PETSc.PC) -> None:
        """Get the context ready for the operators of ``pc``. Collective."""
        start = time.perf_counter()
        self._context.setUp(pc)
        self.seconds += time.perf_counter() - start

    def apply(self, pc: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Set ``y`` to the preconditioned ``x``. Collective."""
        self.applications += 1
        self._context.apply(pc, x, y)

    def __getattr__(self, name: str) -> Any:
        """Return what else the context offers to petsc4py: ``applyTranspose``, ``view``, ``destroy``."""
        if name.startswith("_"):  # petsc4py looks for names without; a copy looks for its hooks
            raise AttributeError(name)
        return getattr(self._context, name)


def install(pc: PETSc.PC, context: PcContext, owner: object) -> Shell:
    """Make ``pc`` call ``context`` as long as ``owner`` lives, and return the shell that counts."""
    shell = Shell(context)
    pc.setType("python")
    pc.setPythonContext(shell)
    weakref.finalize(owner, pc.setType, "none")
    return shell
