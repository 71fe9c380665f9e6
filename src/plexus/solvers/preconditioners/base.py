"""What preconditioners share: members of PETSc options write `options`, those in Python a `context`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plexus.protocols import OptionValue, Outline, PcContext, Preconditioner
    from plexus.solvers.target import Target


class PreconditionerBase:
    """A `plexus.protocols.Preconditioner` that PETSc options describe completely.

    A member whose context computes in Python overrides `context`; PETSc then is told ``pc_type: python``, and
    `options` need not be written.
    """

    varies: bool = False

    def __init__(self, params: Any):
        self.params = params

    def options(self, target: Target) -> Mapping[str, OptionValue]:
        """Return the options of a preconditioner with a context."""
        return {"pc_type": "python"}

    def context(self, target: Target) -> PcContext | None:
        """Return None: options say everything."""
        return None

    def problems(self, fields: Sequence[str]) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield nothing: a system of any fields will do."""
        yield from ()

    def unfit(self, outline: Outline | None) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield nothing: any matrix will do."""
        yield from ()

    def parts(self, target: Target) -> Mapping[str, tuple[Preconditioner, Target]]:
        """Return nothing: the system is taken as a whole."""
        return {}
