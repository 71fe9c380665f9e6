"""Levels from the finest matrix down to one that is solved directly, and the cycle that goes through them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from plexus.solvers.multigrid import aggregates, bounds, vectors
from plexus.solvers.multigrid.matrices import ROUNDING, Matrix, coarsen
from plexus_kernels.native.aggregate import balance, outline
from plexus_kernels.native.multigrid import Cycle, Level

LOW = {1: 0.5, 2: 0.25, 3: 0.2, 4: 0.12, 5: 0.10, 6: 0.08}
"""Lower end of a smoother's interval over its upper end, or over that of M-matrices if less, by degree."""
SMALL, DIRECT, LEAST = 60, 2000, 0.7
"""Rows at which coarsening ends; rows that are still solved directly; ratio of rows that ends it too."""


@dataclass(frozen=True)
class Settings:
    """How a hierarchy is made.

    Attributes
    ----------
    degree : terms of the smoothing polynomial.
    cycle : "two_step", "v" or "k".
    theta : couplings up to theta sqrt(a_ii a_jj) are weak on grids.
    share : of its strongest coupling, what pairs ask for elsewhere.
    passes : pairings per level.
    over_correction : factor of coarse corrections.
    bits : precision inside; with 16 that of matrices, of vectors 32.
    block : unknowns per node.
    gathered : rows up to which every rank goes on with the whole matrix, as exchanges would take longer.
    lean : let go of matrices as soon as the cycle has what it reads.
    """

    degree: int = 3
    cycle: str = "two_step"
    theta: float = 0.05
    share: float = 0.25
    passes: int = 2
    over_correction: float = 2.0
    bits: int = 32
    block: int = 1
    gathered: int = 4000
    lean: bool = False


def usual_for(block: int, on_grid: bool) -> Settings:
    """Return how hierarchies are made if nothing is said, by unknowns per node and kind of the aggregates.

    Coarse functions without smoothing are too stiff: blocks of a grid by two, pairs of pairs by less.
    """
    return Settings(over_correction=2.0 if on_grid else 1.4, passes=2 if block == 1 else 3, block=block)


class Hierarchy:
    """A hierarchy of one matrix. Construction is collective.

    Attributes
    ----------
    places : those of the finest matrix, unless it is lean.

    Parameters
    ----------
    matrix : Matrix
        The finest one.
    settings : Settings
        How it is made.
    places : (nodes, d) int64, optional
        Cells of a grid.
    near : (n, k), optional
        Near null space of nodes with several unknowns.
    like : Hierarchy, optional
        That of a matrix with the same pattern: aggregates and intervals of cycles are taken over.
    """

    def __init__(
        self,
        matrix: Matrix,
        settings: Settings,
        places: np.ndarray | None = None,
        near: np.ndarray | None = None,
        like: Hierarchy | None = None,
    ):
        self.settings, self.comm, self._like = settings, matrix.comm, like
        self.places = None if settings.lean else places
        self.found: list[aggregates.Aggregates] = []
        self.matrices: list[Matrix] = []
        self.levels: list[Level] = []
        self.inner: Hierarchy | None = None
        self._bounds: dict[int, tuple[float, float]] = {}
        self._known = {} if like is None else like._bounds
        for level in self._descend(matrix, places, near):
            self.levels.append(level)
        # the one before goes when its solver lets go of it
        self._like = None

    @cached_property
    def cycle(self) -> Cycle:
        """Return the cycle. Collective at the first access, when its bounds are found."""
        shared, settings = self.comm.size > 1, self.settings
        cycle = Cycle(
            self.levels,
            settings.bits,
            settings.cycle == "k",
            self._fill if shared else None,
            self._total if shared else None,
            self._bottom if self.inner else None,
        )
        if settings.cycle == "two_step":
            if self.inner and len(self.inner.levels) > 1:
                self.inner._bound(self.inner.cycle, 0)
            for number in range(len(self.levels) - 2, 0, -1):
                self._bound(cycle, number)
        return cycle

    @property
    def bounds(self) -> dict[int, tuple[float, float]]:
        """Return the intervals of Chebyshev steps by level. Collective at the first access."""
        _ = self.cycle
        return self._bounds

    def _descend(self, matrix: Matrix, places: np.ndarray | None, near: np.ndarray | None) -> Iterator[Level]:
        """Yield the levels, the last one without aggregates."""
        block = self.settings.block
        while True:
            self.matrices.append(matrix)
            if matrix.comm.size > 1 and matrix.size <= self.settings.gathered:
                yield self._gather(matrix, places, near, block)
                return
            found = self._found(matrix, places, block)
            if found is None:
                yield self._last(matrix, block)
                return
            self.found.append(found._replace(coarse=None))
            level = self._level(matrix, found, block)
            if block > 1:
                near, block = self._carry(level, found, near, block)
            yield level
            places = found.places
            coarse = self._coarser(matrix, level, found)
            if self.settings.lean:
                matrix.drop()
            matrix = coarse
            if block > 1:
                matrix.hold()

    def _carry(
        self, level: Level, found: aggregates.Aggregates, near: np.ndarray | None, block: int
    ) -> tuple[np.ndarray | None, int]:
        """Give a level the numbers of P; return the near null space of the next one, and its block size.

        Without a near null space they are those of the hierarchy that this one is like.
        """
        if near is None:
            assert self._like is not None
            like = self._like.levels[len(self.found) - 1]
            assert like.weights is not None
            level.names, level.weights, level.coarse = like.names, like.weights, like.coarse
            return None, like.weights.shape[1]
        names = np.where(near.any(axis=1), np.repeat(found.names, block), -1).astype(np.int32)
        level.names = names
        level.weights, near = vectors.basis(near, names, found.size)
        level.coarse *= near.shape[1]
        return near, near.shape[1]

    def _coarser(self, matrix: Matrix, level: Level, found: aggregates.Aggregates) -> Matrix:
        """Return the matrix of the next level. Collective."""
        assert level.names is not None
        coarse = found.coarse or coarsen(matrix, level.names, found.size, level.weights)
        coarse.rows.val[:] /= self.settings.over_correction
        if level.weights is None:
            coarse.held /= self.settings.over_correction
            balance(coarse.rows, coarse.held)
            _hold(coarse, matrix, level.names)
        return coarse

    def _found(self, matrix: Matrix, places: np.ndarray | None, block: int) -> aggregates.Aggregates | None:
        """Return the aggregates of the next level, None where it ends here. Collective."""
        number = len(self.found)
        if self._like is not None:
            return self._like.found[number] if number < len(self._like.found) else None
        return None if matrix.size <= SMALL else self._aggregates(matrix, places, block)

    def _aggregates(
        self, matrix: Matrix, places: np.ndarray | None, block: int
    ) -> aggregates.Aggregates | None:
        """Return aggregates, None where they are hardly fewer than rows. Collective."""
        s = self.settings
        nodes = vectors.of_nodes(matrix, block)
        if places is None:
            found = aggregates.paired(nodes, s.passes, s.share)
            found = found if block == 1 else found._replace(coarse=None, steps=())
        else:
            found = aggregates.blocks(nodes, places, s.theta)
        count = self.comm.allreduce(found.size)
        return found if 0 < count <= LEAST * nodes.size else None

    @property
    def work(self) -> float:
        """Return the passes over the entries of the finest matrix that one application takes. Collective."""
        passes, visits = 0.0, 1
        matrices = self.matrices + (self.inner.matrices[1:] if self.inner else [])
        for number, matrix in enumerate(matrices):
            each = 2.0 * self.settings.degree if number + 1 < len(matrices) else 1.0
            again = 0.5 if number and self.settings.cycle != "v" else 0.0
            passes += matrix.entries * visits * (each + again)
            visits *= 1 if self.settings.cycle == "v" else 2
        return passes / self.matrices[0].entries

    def _level(self, matrix: Matrix, found: aggregates.Aggregates | None, block: int) -> Level:
        """Return a level with its smoother, as C reads it."""
        degree, bits = self.settings.degree, self.settings.bits
        level = Level(
            *matrix.rows, matrix.width, matrix.diagonal[: matrix.n], degree=degree, held=matrix.held
        )
        level.pack(bits)
        high = self._high(matrix, level)
        level.smoother = LOW[degree] * min(high, bounds.M_MATRIX), high
        level.names = np.full(matrix.n, -1, np.int32) if found is None else found.names
        level.coarse = 0 if found is None else found.size
        return level

    def _high(self, matrix: Matrix, level: Level) -> float:
        """Return the upper end of a smoother. Collective."""
        return bounds.of_smoother(matrix, level, self.settings.bits, self._like is None)

    def _last(self, matrix: Matrix, block: int) -> Level:
        level = self._level(matrix, None, block)
        if matrix.comm.size == 1 and matrix.size <= DIRECT:
            level.inverse = _inverse(matrix)
        return level

    def _gather(
        self, matrix: Matrix, places: np.ndarray | None, near: np.ndarray | None, block: int
    ) -> Level:
        """Let every rank go on with the whole matrix."""
        places, near = (None if a is None else np.concatenate(self.comm.allgather(a)) for a in (places, near))
        like = None if self._like is None else self._like.inner
        self.inner = self._inside(matrix.gathered(), replace(self.settings, block=block), places, near, like)
        return Level(*matrix.rows, matrix.width, matrix.diagonal[: matrix.n])

    def _inside(self, *told: Any) -> Hierarchy:
        """Return the hierarchy of a gathered matrix."""
        return Hierarchy(*told)

    def _bound(self, cycle: Cycle, number: int) -> None:
        """Find the interval of the cycle on a level and let its problems be solved on it. Collective."""
        self._bounds[number] = self._interval(cycle, number)
        cycle.bound(number, *self._bounds[number])

    def _interval(self, cycle: Cycle, number: int) -> tuple[float, float]:
        """Return the interval of the Chebyshev steps on a level. Collective."""
        return self._known.get(number) or bounds.of_cycle(self.matrices[number], cycle, number)

    def _total(self, values: np.ndarray) -> None:
        values[:] = self.comm.allreduce(np.array(values))

    def _fill(self, level: int, vector: np.ndarray) -> None:
        self.matrices[level].halo.forward(vector)

    def _bottom(self, b: np.ndarray, x: np.ndarray) -> None:
        """Solve on the gathered level: every rank solves all and keeps its own."""
        matrix, inner = self.matrices[-1], self.inner
        assert inner is not None
        whole = np.concatenate(self.comm.allgather(b.astype(np.float64)))
        found = np.empty_like(whole)
        inner.cycle.solve(whole, found)
        x[:] = found[matrix.first : matrix.first + matrix.n]


def _hold(coarse: Matrix, matrix: Matrix, names: np.ndarray) -> None:
    """Hold the rows of parts that nothing else holds, as far as there are any. Collective."""
    fine, inside = matrix.diagonal[: matrix.n], names >= 0
    own, *_ = outline(coarse.rows)
    if own.min(initial=np.inf) <= ROUNDING * fine.max(initial=0.0):
        coarse.hold(np.bincount(names[inside], fine[inside], coarse.n))


def _inverse(matrix: Matrix) -> np.ndarray:
    """Return the inverse of a small matrix on one rank, without the directions that it does not hold."""
    full = np.zeros((matrix.n, matrix.n))
    at = np.repeat(np.arange(matrix.n), np.diff(matrix.rows.ptr))
    full[at, matrix.rows.col] = matrix.rows.val
    # rows of all sizes count alike
    own = np.diagonal(full)
    size = np.sqrt(np.where(own > 0, own, 1.0))
    values, vectors = np.linalg.eigh((full + full.T) / 2 / size[:, None] / size)
    kept = values > 1e-12 * values.max(initial=0.0)
    vectors = vectors[:, kept] / size[:, None]
    return (vectors / values[kept]) @ vectors.T
