"""What makes reduced models, and where their snapshots come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from plexus.run import Run


class SnapshotSource(Protocol):
    """Where a reduction takes the displacements of its steps from."""

    def march(self, run: Run, keep: Callable[[Run], None]) -> dict[str, Any]:
        """Bring a run from state to state, let ``keep`` look at each, and return what is told. Collective.

        Raises
        ------
        InputError
            On all ranks, if the displacements are not those of the run's body.
        """


class ModelMaker(Protocol):
    """A member of kind ``reduction``: what `plexus reduce` makes of a deck.

    With ``resumes = True`` its ``make`` takes ``restart``, a checkpoint of a march that stopped early, and of
    such a march returns the run and no facts; the others end with a `SolveError`.
    """

    def make(self, deck: Any, ctx: Any) -> tuple[Run, dict[str, Any], str]:
        """March, write the model that the member of kind ``rom`` of this name reads. Collective.

        Returns
        -------
        tuple
            The run, facts for its summary, and a line about them.

        Raises
        ------
        InputError
            If the deck cannot be reduced in this way.
        SolveError
            If the model does not reach its tolerance.
        """
