"""The cycle that was looked at last: its fields, their names in files, what the next one is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from plexus.observers._summary import LIVES, MADE, judged, summary

if TYPE_CHECKING:
    from plexus.io.vtkhdf_layout import Column
    from plexus.life._cycle import Cycle
    from plexus.observers._lives import Lives
    from plexus.protocols import Location
    from plexus.spaces.quadrature_space import QuadratureSpace

Array = np.ndarray
ENDLESS = 9.0
"""Largest logarithm of a life that is shown: some have no end."""


class Latest:
    """Fields of a cycle at the quadrature points.

    Parameters
    ----------
    lives : Lives, optional
        Criterion of life.

    Attributes
    ----------
    made : dict
        Field -> values (n_local,); empty before the first cycle.
    before : array (n_local, 2), optional
        What the next cycle is compared with.
    row : dict
        What the table has of it.
    """

    def __init__(self, lives: Lives | None):
        self.lives = lives
        self.made: dict[str, Array] = {}
        self.before: Array | None = None
        self.row: dict[str, float] = {}

    def take(self, points: QuadratureSpace, cycle: Cycle, tolerance: float) -> dict[str, int]:
        """Turn to a cycle; return at how many points it is beyond data. Collective."""
        self.made = {name: getattr(cycle, attribute) for name, (attribute, _, _) in MADE.items()}
        missed: dict[str, int] = {}
        if self.lives is not None:
            self.made["damage"], missed = self.lives.judge(points, cycle)
        latest = judged(self.made)
        self.row = summary(points, self.made, latest, self.before, tolerance)
        if self.lives is not None:
            self.row |= {"shortest_life": self.lives.shortest}
            self.row |= dict(zip("xyz", self.lives.place, strict=False))
        self.before = latest
        return missed

    def columns(self, where: Location, at: tuple[tuple[float, ...], ...]) -> list[Column]:
        """Return the columns of the file; ``at`` are the points of a cell where they are shown there."""
        from plexus.io.vtkhdf_layout import column

        told = {name: (unit, tip) for name, (_, unit, tip) in MADE.items()}
        told |= LIVES if self.lives is not None else {}
        return [column(name, unit, "scalar", where, tip, at) for name, (unit, tip) in told.items()]

    def shown(self, view: Callable[[Array], Array]) -> Mapping[str, Array]:
        """Return the columns' values, as ``view`` shows rows (n_local, 1); none before the first cycle."""
        arrays = {name: view(rows[:, None]) for name, rows in self.made.items()}
        if "damage" in arrays:
            # the life of a cell is that under its mean damage
            with np.errstate(divide="ignore"):
                arrays["life"] = 1.0 / np.maximum(arrays["damage"], 0.0)
            # for pictures: lives span decades
            arrays["log_life"] = np.minimum(np.log10(arrays["life"]), ENDLESS)
        return arrays
