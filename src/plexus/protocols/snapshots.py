"""What a source of snapshots must offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class SnapshotSource(Protocol):
    """Where a reduction takes the displacements of its steps from."""

    def march(self, run: Any, keep: Callable[[Any], None]) -> dict[str, Any]:
        """Bring a run from state to state, let ``keep`` look at each, and return what is told. Collective.

        Raises
        ------
        InputError
            On all ranks, if the displacements are not those of the run's body.
        """
