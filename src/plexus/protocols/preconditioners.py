"""Preconditioners: PETSc options, and where options do not reach, an object of petsc4py's type ``python``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from petsc4py import PETSc

    from plexus.protocols.problems import Outline
    from plexus.solvers.target import Target

OptionValue = str | int | float | bool | None
"""A PETSc option's value; None for a flag without one."""


class PcContext(Protocol):
    """A preconditioner in Python, with the names that petsc4py calls.

    ``applyTranspose(pc, x, y)``, ``view(pc, viewer)`` and ``destroy(pc)`` are called too where it has them.
    A learned one has ``part``, the `plexus.protocols.Guarded` that watches it: the run judges it in every
    step, and it gives way as other learned parts do. Its counts are those of all ranks of ``pc.comm``.
    It must not keep ``pc``, which owns it; vectors and matrices that it makes it frees in ``destroy``.
    """

    def setUp(self, pc: PETSc.PC) -> None:
        """Get ready for the operators of ``pc``; called again when they change. Collective."""

    def apply(self, pc: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Set ``y`` to the preconditioned ``x``. Collective."""


class Preconditioner(Protocol):
    """A member of kind ``preconditioner``."""

    varies: bool
    """Not linear, or not symmetric where the matrix is: only flexible Krylov methods may use it."""

    def options(self, target: Target) -> Mapping[str, OptionValue]:
        """Return options without the field's prefix, e.g. ``{"pc_type": "gamg"}``.

        Raises
        ------
        InputError
            If this PETSc lacks the package behind the preconditioner.
        """

    def context(self, target: Target) -> PcContext | None:
        """Return the object behind ``pc_type: python``; None where options say everything."""

    def problems(self, fields: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield what is wrong for a system of these fields: place below the member, and a sentence."""

    def unfit(self, outline: Outline | None) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield what is wrong for a linear system of a deck, None for one of elements, in the same way."""

    def parts(self, target: Target) -> Mapping[str, tuple[Preconditioner, Target]]:
        """Return the preconditioner of each field of a block, and what it sees; {} for a whole system."""
