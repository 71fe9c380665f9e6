"""Whether draws stay within the data of the material: temperatures and the tables of the law.

A table is constant beyond its ends, and what a law answers there is no number of the material. The whole body
is looked at, at the two times at which the draws are coldest and hottest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.deck.walk import properties
from plexus.reduction.responses import Elastic
from plexus.spaces.names import region_cells

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.offline.drawn import Drawn


class Reach:
    """The tables of a law, and where they hold. Construction is collective.

    Parameters
    ----------
    system : ReducedSystem
        The body.
    params : Params
        The block of the law.
    drawn : Drawn
        The draws; those that differ most tell the times.
    times : sequence of float
        Start and ends of all steps [s].
    """

    def __init__(self, system: ReducedSystem, params: Any, drawn: Drawn, times: list[float]):
        self.system, self.elastic = system, Elastic(system.full, times[0])
        self.tables = [
            (path, prop.table, self._rows(path))
            for path, prop in properties(params, "physics.law")
            if prop.table is not None and prop.table.of == "temperature"
        ]
        self.times = self._ends(drawn, times) if self.tables else []

    def outside(self) -> dict[str, int]:
        """Return at how many points the present draw leaves each table; those that hold are left out.
        Collective.
        """
        if not self.tables:
            return {}
        found = dict(self._missed(self.elastic.temperatures(self.times)))
        total: dict[str, int] = {what: self.system.comm.allreduce(n) for what, n in found.items()}
        return {what: n for what, n in total.items() if n}

    def _missed(self, heat: np.ndarray) -> Iterator[tuple[str, int]]:
        """Yield tables and the number of own points beyond them."""
        coldest, hottest = heat.min(axis=1, initial=np.inf), heat.max(axis=1, initial=-np.inf)
        for path, table, rows in self.tables:
            low, high = table.reach
            beyond = (coldest[rows] < low) | (hottest[rows] > high)
            yield f"temperatures beyond the table of {path}", int(np.count_nonzero(beyond))

    def _rows(self, path: str) -> np.ndarray:
        """Return the own points at which a property holds: all, or those of its region."""
        points = self.system.full.quadrature
        region = path.partition(".regions.")[2]
        if not region:
            return np.arange(points.n_owned)
        rows = points.rows_of(np.sort(region_cells(points.mesh, region)))
        return rows[rows < points.n_owned]

    def _ends(self, drawn: Drawn, times: list[float]) -> list[float]:
        """Return the times at which a draw is coldest and hottest. Collective."""
        drawn.put(drawn.farthest[0])
        heat = self.elastic.temperatures(times)
        ends = [
            np.max(self.system.comm.allgather((sign * heat).max(axis=0, initial=-np.inf)), axis=0)
            for sign in (-1, 1)
        ]
        return [times[int(np.argmax(end))] for end in ends]
