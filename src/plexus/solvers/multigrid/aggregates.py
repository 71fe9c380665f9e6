"""Which rows of a matrix become one row of the next: strong components of blocks on grids, pairs anywhere.

On a grid every block of two cells per axis is cut into the connected parts of its strong couplings, so that
no aggregate crosses a thin wall or leaves a channel. Elsewhere rows are paired, and pairs again, by the
strongest couplings, once more where the next matrix would have too many entries. Y. Notay, Electron. Trans.
Numer. Anal. 37 (2010) 123; A. Napov, Y. Notay, SIAM J. Sci. Comput. 34 (2012) A1079,
doi:10.1137/100818509. Aggregates never leave a rank.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plexus.solvers.multigrid.matrices import Matrix, coarsen
from plexus_kernels.native import aggregate

DENSE = 0.25
"""Entries of the next matrix over those of this one from which on pairs are paired once more."""


class Aggregates(NamedTuple):
    """Aggregate of each row, (n,) int32, -1 where a row stands alone; their number and places.

    ``steps`` are names and numbers of the pairings that they come from; ``coarse`` is Pᵀ A P, if it is known.
    """

    names: np.ndarray
    size: int
    places: np.ndarray | None
    steps: tuple[tuple[np.ndarray, int], ...] = ()
    coarse: Matrix | None = None


def blocks(matrix: Matrix, places: np.ndarray, theta: float) -> Aggregates:
    """Return the strong components of blocks of two cells per axis.

    Parameters
    ----------
    matrix : Matrix
        The matrix.
    places : (n, d) int32
        Cell of each row.
    theta : float
        Couplings up to theta sqrt(a_ii a_jj) are weak.
    """
    block = np.zeros(matrix.n, np.int64)
    for axis in places.T:
        block *= int(axis.max(initial=0)) // 2 + 1
        block += axis // 2
    names, count = aggregate.components(matrix.rows, matrix.diagonal, theta, block)
    member, inside = np.empty(count, np.int32), names >= 0
    member[names[inside]] = np.arange(matrix.n, dtype=np.int32)[inside]
    return Aggregates(names, count, places[member] // 2)


def paired(matrix: Matrix, passes: int, share: float) -> Aggregates:
    """Return aggregates of up to 2^passes rows, twice as many where entries hardly get fewer. Collective.

    ``share`` of its strongest coupling is what a row asks of its mate's.
    """
    entries, coarse = matrix.entries, matrix
    names, steps = np.arange(matrix.n, dtype=np.int32), list[tuple[np.ndarray, int]]()
    for number in range(passes + 1):
        if number == passes and coarse.entries <= DENSE * entries:
            break
        steps.append(aggregate.pairs(coarse.rows, share))
        # a pair that is coupled to nothing else is solved by what smooths it; -1 finds the -1 behind the last
        names = np.append(steps[-1][0], np.int32(-1))[names]
        coarse = coarsen(coarse, *steps[-1], None)
    return Aggregates(names, steps[-1][1], None, tuple(steps), coarse)


def again(matrix: Matrix, found: Aggregates) -> Aggregates:
    """Return aggregates with Pᵀ A P of another matrix, in the steps that they were found in. Collective."""
    for step in found.steps:
        matrix = coarsen(matrix, *step, None)
    return found._replace(coarse=matrix if found.steps else None)
