"""Draws marched through one reduced model, many at once.

Data and thermal strain of a draw are evaluated by the ranks that have the points; each draw is then marched
by one rank, which gets what all points have of it. So a draw costs one exchange, and its Newton steps none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError
from plexus.reduction.batch import Batch
from plexus.reduction.gappy import Gappy, floor

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.offline.drawn import Drawn

Array = np.ndarray
OF = "p"
"""Memory variable whose basis judges a draw."""


@dataclass(frozen=True, eq=False)
class Marched:
    """What D draws have gone through, on all ranks.

    Attributes
    ----------
    coordinates : array (D, T, n)
        Coordinates of the modes after each step; not numbers from a step on that did not end.
    missed : array (D,)
        Largest e_G of all steps (`plexus.reduction.gappy`).
    newton : array (D,) of int
        Newton steps in all; -1 where a step did not end.
    """

    coordinates: Array
    missed: Array
    newton: Array


class Marcher:
    """Marches draws. Construction is collective.

    Parameters
    ----------
    system : ReducedSystem
        Basis, points and loads.
    drawn : Drawn
        The draws.
    times : sequence of float
        Start and ends of all steps [s].

    Raises
    ------
    InputError
        If the law has no compiled step, or the model no basis of p.
    """

    def __init__(self, system: ReducedSystem, drawn: Drawn, times: Sequence[float]):
        if system.steps.compiled is None:
            raise InputError("campaign: draws are marched by compiled steps, of laws after von Mises only")
        if OF not in system.model.kept.duals:
            raise InputError(f"campaign: the reduced model has no basis of {OF}, by which draws are judged")
        self.system, self.drawn, self.comm = system, drawn, system.comm
        self.ends, self.lengths = np.array(times[1:]), np.diff(times)
        self.loads = system.loads.over(self.ends)
        points, model = system.model.points, system.model
        self.gappy = Gappy(OF, model.kept.duals[OF], points)
        self.floor = floor(model.facts, OF)
        s, n = points.n_local, model.basis.shape[2]
        self.strains = self.gappy.gathered(model.strains.reshape(s, 9 * n)).reshape(-1, 9, n)
        self.weights = points.all_weights

    def march(self, numbers: Sequence[int]) -> Marched:
        """March draws from rest to the end. Collective."""
        size, found = self.comm.size, dict[int, tuple[Array, float, int]]()
        shares = [numbers[rank::size] for rank in range(size)]
        data, offset = self._exchanged(shares)
        mine = shares[self.comm.rank]
        if mine:
            batch = Batch(
                self.strains, self.weights, len(self.system.points) - 2, len(mine), self.system.tolerance
            )
            paths = batch.march(self.lengths.tolist(), self.loads[None], data, offset)
            newton = np.where((paths.newton < 0).any(axis=1), -1, paths.newton.sum(axis=1))
            rows = zip(paths.coordinates, self._missed(paths.p), newton, strict=True)
            found = dict(zip(mine, rows, strict=True))
        every = {number: row for part in self.comm.allgather(found) for number, row in part.items()}
        ordered = [every[number] for number in numbers]
        return Marched(*(np.array([row[i] for row in ordered]) for i in range(3)))

    def _exchanged(self, shares: Sequence[Sequence[int]]) -> tuple[Array, Array]:
        """Return data (d, T, k, s) and offset (d, T, 6, s) of the own draws at all points. Collective."""
        system, points = self.system, self.system.model.points
        given = [
            [system.steps.conditions(system.sites, self.ends, self.drawn.values(k)) for k in share]
            for share in shares
        ]
        sent = [(points.places, [(c.data, c.offset) for c in each]) for each in given]
        got: list[Any] = self.comm.alltoall(sent)
        found = []
        for kind in range(2):
            whole: Array | None = None
            for places, rows in got:
                here = np.array([row[kind] for row in rows])
                if len(here):
                    whole = np.zeros((*here.shape[:-1], points.n_global)) if whole is None else whole
                    whole[..., places] = here
            found.append(np.empty(0) if whole is None else whole)
        return found[0], found[1]

    def _missed(self, p: Array) -> Array:
        """Return the largest e_G of each draw of p (d, T, s); none where a draw did not come to its end."""
        q = self.gappy.q
        rest, size = np.linalg.norm(p - (p @ q) @ q.T, axis=2), np.linalg.norm(p, axis=2)
        floor = self.floor * p.shape[2] ** 0.5
        found: Array = (rest / np.maximum(size, floor)).max(axis=1)
        return found
