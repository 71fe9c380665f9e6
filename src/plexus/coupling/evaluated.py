"""A registration as a system: nothing is solved, the code of a time is looked up and decoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.coupling.coordinates import CoordinateSystem

if TYPE_CHECKING:
    from plexus.coupling.volumes import VolumeSystem
    from plexus.protocols import Instant, Values
    from plexus.reduction.registered import Registered

Array = np.ndarray


class EvaluatedSystem(CoordinateSystem):
    """The code of a registration as a function of time.

    A step's length is free: rates are zero, and fields follow from the time alone.

    Parameters
    ----------
    full : VolumeSystem
        The system in whose place it is shown.
    model : Registered
        Grid, modes and code.
    """

    def __init__(self, full: VolumeSystem, model: Registered):
        super().__init__(full, model.code.shape[1])
        self.model, self.latest = model, -np.inf

    def cells(self, values: Mapping[str, Array], t: float) -> Array:
        """Return the means of this rank's cells, (n_owned,)."""
        self.latest = max(self.latest, t)
        found = self.model.decode(self.model.code_at(t)[None], np.array([t]))[:, 0, 0]
        first, behind = self.full.cells.rows
        return found[first:behind]

    def rates(self, values: Mapping[str, Array], t: float) -> Values:
        """Return zero."""
        return {self.name: 0 * values[self.name]}

    def solve(self, name: str, values: Mapping[str, Array], at: Instant, held: bool = False) -> int:
        """Leave the coordinates."""
        return 0

    def counts(self) -> dict[str, Any]:
        """Return modes and the latest time that was shown, beside that of the training."""
        trained = float(self.model.times[-1])
        return {"reduced": {"modes": self.unknowns, "trained_until": trained, "shown_until": self.latest}}
