"""Many draws through one reduced model: the same basis and points, other temperatures, data and loads.

Every draw marches on its own; one compiled call takes them all through a step, or one per thread. Draws
whose Newton's method does not end are not numbers from there on, and do not stop the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from plexus_kernels.native.galerkin import Bodies

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Paths:
    """What draws have gone through.

    Attributes
    ----------
    coordinates : array (D, T, n)
        Coordinates of the modes after each step.
    p : array (D, T, s)
        Cumulated plastic strain at the points.
    newton : array (D, T) of int
        Newton steps; -1 from the step on that did not end.
    """

    coordinates: Array
    p: Array
    newton: Array

    @property
    def failed(self) -> Array:
        """Numbers of the draws that did not come to the end."""
        return np.flatnonzero(self.newton[:, -1] < 0)


class Batch:
    """Draws of a reduced model on one rank, at rest at the start, without prescribed values or springs.

    Parameters
    ----------
    strains : array (s, 9, n)
        Strain of each mode at all points of the cubature.
    weights : array (s,)
        Their weights.
    backs : int
        Back strains of the law, one after von Mises.
    draws : int
        Number of draws D.
    tolerance : float
        Relative residual at which Newton's method ends.
    workers : int
        Threads that share the draws.

    Raises
    ------
    RuntimeError
        If steps cannot be compiled here.
    """

    def __init__(
        self,
        strains: Array,
        weights: Array,
        backs: int,
        draws: int,
        tolerance: float = 1e-8,
        workers: int = 1,
    ):
        self.bodies = Bodies(strains, weights, backs, draws)
        self.tolerance, self.draws = tolerance, draws
        ends = np.linspace(0, draws, min(workers, draws) + 1).astype(int)
        self._parts = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self._lost = np.zeros(draws, dtype=bool)

    def step(self, dt: float, loads: Array, data: Array, offset: Array) -> Array:
        """Take all draws through a step; return their numbers of Newton steps, -1 for those that are lost.

        Parameters
        ----------
        dt : float
            Length of the step [s].
        loads : array (D|1, n)
            Ψᵀ F, negative where a load pushes along a mode, as f0 of an equation is.
        data : array (D|1, 8 + 2 backs, s|1)
            See `plexus.protocols.laws.Inlined.constants`.
        offset : array (D|1, 6, s)
            Strain without displacement, 11 22 33 12 23 31: minus the thermal one.
        """
        bodies = self.bodies
        bodies.put(data, offset)
        f = np.ascontiguousarray(np.broadcast_to(loads, (self.draws, bodies.modes)))
        if len(self._parts) == 1:
            bodies.solve(dt, f, self.tolerance)
        else:
            with ThreadPoolExecutor(len(self._parts)) as pool:
                list(pool.map(lambda part: bodies.solve(dt, f, self.tolerance, part), self._parts))
        bodies.go_on()
        self._lost |= bodies.steps < 0
        bodies.g[self._lost] = np.nan
        for rows in bodies.memory:
            rows[self._lost] = np.nan
        return np.where(self._lost, -1, bodies.steps)

    def march(self, steps: Sequence[float], loads: Array, data: Array, offset: Array) -> Paths:
        """Return the paths of all draws through steps of these lengths.

        ``loads`` (D|1, T, n), ``data`` (D|1, T, 8 + 2 backs, s|1), ``offset`` (D|1, T, 6, s) as in `step`.
        """
        count, bodies = len(steps), self.bodies
        g, p = np.empty((self.draws, count, bodies.modes)), np.empty((self.draws, count, bodies.points))
        newton = np.empty((self.draws, count), dtype=np.int64)
        for k, dt in enumerate(steps):
            newton[:, k] = self.step(dt, loads[:, k], data[:, k], offset[:, k])
            g[:, k], p[:, k] = bodies.g, bodies.memory[1]
        return Paths(g, p, newton)
