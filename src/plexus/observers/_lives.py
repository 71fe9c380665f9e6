"""Lives at the quadrature points of a body: a criterion in a region, the shortest life and its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from plexus.life._cycle import Cycle
    from plexus.protocols import Criterion
    from plexus.spaces.quadrature_space import QuadratureSpace

Array = np.ndarray


class Lives:
    """A criterion asked for one cycle after the other.

    Parameters
    ----------
    criterion : Criterion
        Damage per cycle.
    region : str, optional
        Where it is asked; elsewhere no cycle does harm.
    """

    def __init__(self, criterion: Criterion, region: str | None):
        self.criterion, self.region = criterion, region
        self.shortest, self.place = float("nan"), [float("nan")] * 3
        """Shortest life of the latest cycle, and coordinates [m]."""

    def judge(self, points: QuadratureSpace, cycle: Cycle) -> tuple[Array, dict[str, int]]:
        """Return damage (n_local,), and at how many points data do not reach; note the worst. Collective."""
        inside = self._inside(points)
        damage = np.zeros(points.n_local)
        damage[inside] = self.criterion.damage(cycle.at(inside))
        self._find(points, damage[: points.n_owned])
        own = cycle.at(inside[inside < points.n_owned])
        return damage, {what: points.comm.allreduce(n) for what, n in self.criterion.misses(own).items()}

    def _inside(self, points: QuadratureSpace) -> Array:
        """Return the numbers of the local points in the region."""
        from plexus.spaces.names import region_cells

        if self.region is None:
            return np.arange(points.n_local)
        return points.rows_of(np.sort(region_cells(points.mesh, self.region)))

    def _find(self, points: QuadratureSpace, own: Array) -> None:
        """Note the largest damage of all ranks and where it is. Collective."""
        best = int(own.argmax()) if len(own) else 0
        # of equal ones the point of the lowest name, whatever the partition
        mine = (
            (float(own[best]), -int(points.names()[best]), points.points[best].tolist())
            if len(own)
            else (-1.0, 0, [])
        )
        size, _, place = max(points.comm.allgather(mine))
        self.shortest, self.place = (1.0 / size if size > 0 else float("inf")), place
