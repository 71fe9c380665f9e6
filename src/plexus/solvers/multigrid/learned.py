"""A hierarchy whose coarse couplings, smoothers and intervals a network sets; aggregates are of one without.

Each coarse matrix A = Pᵀ A P / c is split into G - N: G has the couplings w = -a_ij > 0 and the row sums
above zero, N the rest with its sign turned, which an M-matrix has none of. A' = G' - ν N takes its place,
where G' has the couplings m w with m = exp(c tanh f) > 0, and ν = min(1, m). Since G' - ν G is a sum of
couplings and row sums above zero, and N ≤ G, A' ≥ ν (G - N) ≥ 0 for any weights. Constants cost as much as
before, and so does what Dirichlet conditions hold.

Nodes with several unknowns: a coupling is a matrix, of either sign in every direction, and a share of it
cannot be changed without eigenvalues of each. There A' = m A with the mean m of the factors (of logarithms)
that couplings as large as the norms of these matrices would get: definite, and rigid motions cost nothing.

The smoother's error is E = Σ_j ω_j E_j, Σ ω_j = 1, where E_j is that of j Chebyshev steps on [ℓ b, b] with
the bound b as before and a bounded ℓ > 0, and |ω_j| < 1/3 for j = k - 1, k - 2, k - 3, zero below. On
(0, ℓ b) the E_j lie in (0, 1] and fall with j, so that, with sums over j < k,

    0 < (1 - Σ ω_j⁺) (1 - E_k) ≤ 1 - E ≤ (1 + Σ ω_j⁻) (1 - E_k) < 2

On [ℓ b, b] |E_j| ≤ ε_j = 1/T_j((1 + ℓ)/(1 - ℓ)), and |E| ≤ ε_k + Σ_{j<k} |ω_j| (ε_j + ε_k), which is kept
below one. Chebyshev steps of cycles work on [a, b] with b as before and 0 < a < b. So the cycle stays
symmetric positive definite for any output of the network (P. S. Vassilevski, Multilevel Block Factorization
Preconditioners, 2008, doi:10.1007/978-0-387-71564-3).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from mpi4py import MPI

from plexus.solvers.multigrid import aggregates, bounds, factors, vectors
from plexus.solvers.multigrid.hierarchy import Hierarchy
from plexus.solvers.multigrid.matrices import Matrix
from plexus.solvers.multigrid.network import EDGE, ENDS, FEATURES, Network, mixed, texture
from plexus_kernels.native import conductances
from plexus_kernels.native.multigrid import Cycle, Level

NARROWEST = 0.9
"""Largest ratio of the ends of an interval."""


class Learned(Hierarchy):
    """The hierarchy ``like`` with what a network makes of it. Construction is collective.

    Attributes
    ----------
    names : of the features.
    seen : (2, 12)
        Range of the features that were met, on all ranks.

    Raises
    ------
    ArithmeticError
        On all ranks, if the network gives no numbers.
    """

    names = FEATURES

    def __init__(self, like: Hierarchy, network: Network, matrix: Matrix | None = None):
        self.network = network
        self.seen = np.tile([[np.inf], [-np.inf]], len(FEATURES))
        self._told: list[np.ndarray] = []
        super().__init__(matrix or like.matrices[0], like.settings, like.places, like=like)

    def _inside(self, matrix: Matrix, *told: Any) -> Hierarchy:
        """Return the hierarchy of a gathered matrix, with the same network."""
        assert self._like is not None
        assert self._like.inner is not None
        inner = Learned(self._like.inner, self.network, matrix)
        self._meet(inner.seen, slice(None))
        return inner

    def _found(self, matrix: Matrix, places: np.ndarray | None, block: int) -> aggregates.Aggregates | None:
        """Return the aggregates of the next level, None where it ends here. Collective."""
        found = super()._found(matrix, places, block)
        # the same sums as without learning, so that factors of one change no bit
        return None if found is None else aggregates.again(matrix, found)

    def _high(self, matrix: Matrix, level: Level) -> float:
        """Return the upper end of a smoother, the known one of the finest matrix. Collective."""
        assert self._like is not None
        if len(self.matrices) == 1:
            return self._like.levels[0].smoother[1]
        return bounds.of_smoother(matrix, level, self.settings.bits)

    def _level(self, matrix: Matrix, found: aggregates.Aggregates | None, block: int) -> Level:
        """Return a level with its smoother."""
        nodes = vectors.of_nodes(matrix, block)
        sums = self.comm.allreduce(conductances.texture(nodes.rows, nodes.diagonal))
        features = texture(sums)
        self._meet(np.stack([features, features]), slice(EDGE, None))
        self._told.append(_numbers(self.network.level(features)))
        level = super()._level(matrix, found, block)
        low, high = level.smoother
        level.smoother = min(low * float(self._told[-1][0]), NARROWEST * high), high
        level.mixed = mixed(self._told[-1][ENDS:], level.degree, level.smoother[0] / high)
        return level

    def _interval(self, cycle: Cycle, number: int) -> tuple[float, float]:
        """Return the interval of the Chebyshev steps on a level. Collective."""
        low, high = bounds.of_cycle(self.matrices[number], cycle, number)
        return min(low * float(self._told[number][1]), NARROWEST * high), high

    def _coarser(self, matrix: Matrix, level: Level, found: aggregates.Aggregates) -> Matrix:
        """Return the matrix of the next level with its factors. Collective."""
        coarse = super()._coarser(matrix, level, found)
        fine = 1 if level.weights is None else matrix.n // len(found.names)
        then = 1 if level.weights is None else level.weights.shape[1]
        nodes = vectors.of_nodes(coarse, then)
        finer = vectors.of_nodes(matrix, fine)
        potentials = factors.potentials(finer, self._places() if self.network.asks_for_flows else None)
        scale = self.settings.over_correction, self.network
        factor, least, seen = factors.found(finer, found.names, nodes, potentials, *scale)
        (least,) = _numbers(np.array(self.comm.allgather(least)).min(keepdims=True))
        self._meet(self._widest(seen), slice(0, EDGE))
        changed = Matrix(coarse.comm, coarse.rows._replace(val=coarse.rows.val.copy()), coarse.ghosts)
        if level.weights is None:
            changed.held = coarse.held.copy()
            conductances.scale(changed.rows, changed.held, factor, float(least))
        else:
            changed.rows.val[:] *= self._mean(factor, nodes)
        return changed

    def _places(self) -> np.ndarray | None:
        """Return the cells of the matrix of which the next one is made."""
        return self.places if len(self.found) == 1 else self.found[-2].places

    def _mean(self, factor: np.ndarray, nodes: Matrix) -> float:
        """Return the geometric mean of the factors of couplings. Collective."""
        on = nodes.rows.val < 0
        total, count = self.comm.allreduce(np.array([np.log(factor[on]).sum(), on.sum()]))
        return float(np.exp(total / max(count, 1.0)))

    def _widest(self, seen: np.ndarray) -> np.ndarray:
        """Return the range over all ranks. Collective."""
        low, high = np.empty_like(seen[0]), np.empty_like(seen[1])
        self.comm.Allreduce(seen[0].copy(), low, MPI.MIN)
        self.comm.Allreduce(seen[1].copy(), high, MPI.MAX)
        return np.stack([low, high])

    def _meet(self, seen: np.ndarray, at: slice) -> None:
        """Widen the range of the features that were met."""
        self.seen[0, at] = np.minimum(self.seen[0, at], seen[0])
        self.seen[1, at] = np.maximum(self.seen[1, at], seen[1])

    def outside(self) -> dict[str, tuple[float, float]]:
        """Return the features that left the range of the training: name -> what was met."""
        net = self.network
        away = (self.seen[0] < net.low - 1e-9) | (self.seen[1] > net.high + 1e-9)
        return {
            n: (float(a), float(b)) for n, a, b, out in zip(self.names, *self.seen, away, strict=True) if out
        }


def _numbers(values: np.ndarray) -> np.ndarray:
    """Return values that are the same on all ranks, if they are numbers.

    Raises
    ------
    ArithmeticError
        If they are not.
    """
    if not np.isfinite(values).all():
        raise ArithmeticError("factors that are no numbers")
    return values
