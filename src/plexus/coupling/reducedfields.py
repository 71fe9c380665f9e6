"""Fields of a reduced run: those of the whole body, made from the coordinates when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from plexus.coupling.nodal import NodalFields
from plexus.fields.state import State

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem


class ReducedFields(NodalFields):
    """Fields of the whole body, made from the coordinates when somebody asks."""

    def __init__(self, system: ReducedSystem, constants: Mapping[str, float]):
        self.reduced = system
        self._body: State | None = None
        super().__init__(system.full, constants)

    def look(self, state: State) -> None:
        """Turn to a state."""
        if state is not self._state:
            self._body = None
        super().look(state)

    @property
    def state(self) -> State:
        """The state of the whole body. Collective at the first access."""
        if self._body is None:
            self._body = self.reduced.reconstructed(super().state)
        return self._body
