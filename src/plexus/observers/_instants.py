"""The instants of a cycle that is going on, at the quadrature points of a body."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.life._cycle import Cycle, six

if TYPE_CHECKING:
    from plexus.run import Run
    from plexus.spaces.quadrature_space import QuadratureSpace

Array = np.ndarray
READ = {"stress": 6, "strain": 6, "plastic_strain": 6, "p": 1, "young_modulus": 1, "temperature": 1}
"""Fields that are read -> numbers per point."""


class Instants:
    """What has been seen of a cycle: fields of `READ` at some times, (n_local, 21) each.

    Parameters
    ----------
    run : Run
        Whose body is looked at.
    """

    def __init__(self, run: Run):
        self.run = run
        self.times: list[float] = []
        self.rows: list[Array] = []

    @cached_property
    def points(self) -> QuadratureSpace:
        """The quadrature points of the body, those of ghost cells included. Collective at first."""
        from plexus.spaces.quadrature_space import QuadratureSpace

        body: Any = self.run.system.body
        form = body.forms[body.equations[0].field.name]
        return QuadratureSpace(form.space, form.degree)

    def add(self) -> None:
        """Look at the present state. Collective."""
        found = []
        for name, width in READ.items():
            if name not in self.run.fields.specs:
                found.append(np.zeros((self.points.n_local, width)))
                continue
            _, location, rows = self.run.fields.evaluate(name, "point")
            rows = rows if location == "point" else self._interpolated(rows)
            found.append(six(rows) if width == 6 else rows)
        self.times.append(self.run.clock.t)
        self.rows.append(np.concatenate(found, axis=1))

    def keep(self, count: int) -> None:
        """Forget all but so many of the latest instants."""
        first = len(self.times) - count
        self.times, self.rows = self.times[first:], self.rows[first:]

    def leave(self, t: float) -> None:
        """Forget what lies behind a time [s]: the run went back there."""
        count = sum(s <= t * (1 + 1e-12) for s in self.times)
        self.times, self.rows = self.times[:count], self.rows[:count]

    def unpack(self, times: list[float], side_by_side: Array) -> None:
        """Take instants over, rows (n_local, 21 for each time)."""
        self.times = times
        parts = np.split(side_by_side, max(len(times), 1), axis=1)
        self.rows = [np.ascontiguousarray(a) for a in parts[: len(times)]]

    def cycle(self) -> Cycle:
        """Return the cycle at the points of all local cells."""
        known, k, parts = np.array(self.rows), 0, {}
        for name, width in READ.items():
            parts[name] = known[..., k : k + width] if width > 1 else known[..., k]
            k += width
        heat = parts["temperature"] if "temperature" in self.run.fields.specs else None
        return Cycle(
            np.array(self.times), parts["stress"], parts["strain"], parts["plastic_strain"], parts["p"],
            parts["young_modulus"], heat,
        )  # fmt: skip

    def _interpolated(self, nodal: Array) -> Array:
        """Return nodal values (n_nodes, 1) at the points, (n_local, 1)."""
        space = self.points.nodes
        phi = self.points.rule.tables(space.element).phi
        return np.einsum("qi,ci->cq", phi, nodal[space.cell_nodes, 0]).reshape(-1, 1)
