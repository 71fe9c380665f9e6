"""Preconditioners in Python of one solver, from its first moment on: a run watches the learned ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from plexus.solvers import defaults

if TYPE_CHECKING:
    from plexus.deck.schema import SolverBlock
    from plexus.protocols import Guarded, PcContext, Preconditioner
    from plexus.solvers.target import Target


class Contexts:
    """Contexts of a solver block, its fallbacks, and the fields inside a block of fields.

    Parameters
    ----------
    blocks : sequence of SolverBlock
        The deck's block and its fallbacks in order.
    target : Target
        The system that they solve.
    """

    def __init__(self, blocks: Sequence[SolverBlock], target: Target):
        self._name = target.name
        self._made: dict[tuple[int, str], PcContext] = {}
        for number, block in enumerate(blocks):
            whole = defaults.member(block, target)
            for field, (member, part) in {"": (whole, target), **whole.parts(target)}.items():
                context = member.context(part)
                if context is not None:
                    self._made[number, field] = context

    @property
    def parts(self) -> dict[str, Guarded]:
        """What watches the learned ones, by deck path."""
        found = {}
        for (number, field), context in self._made.items():
            part = _watch(context)
            if part is not None:
                inside = f".fields.{field}" if field else ""
                found[f"solver.{self._name}.{'on_failure.' * number}preconditioner{inside}"] = part
        return found

    def take(self, number: int, field: str, member: Preconditioner, target: Target) -> PcContext | None:
        """Return the context of a member in block ``number``, None where PETSc's options say everything.

        One that is watched stays the same for the whole run. Others belong to who takes them.
        """
        context = self._made.get((number, field))
        if context is None:
            return member.context(target)
        if _watch(context) is None:
            del self._made[number, field]
        return context


def _watch(context: PcContext) -> Guarded | None:
    """Return what watches a context; only learned ones have it."""
    part: Guarded | None = getattr(context, "part", None)
    return part
