"""Factors of the couplings of a coarse matrix from the finer one: sums for `conductances.c`, on all ranks.

What a coarse coupling should carry is told by flows: the cells of a grid, as potentials along each axis, are
relaxed towards flows without sources, and what then flows between two aggregates, over the difference of
their means, is the coupling that would carry as much. It is half of the sum of finer couplings in open
space, less where a wall or a slit is near: upscaling of reservoirs, L. J. Durlofsky, Water Resour. Res. 27
(1991) 699, doi:10.1029/91WR00107, without its boundary problems.
"""

from __future__ import annotations

import numpy as np

from plexus.solvers.multigrid.matrices import Matrix, numbered
from plexus.solvers.multigrid.network import DAMPING, REACH, STEPS, Network
from plexus_kernels.native import conductances

LEAST = 1e-300
"""Least diagonal of which there is a logarithm."""


def potentials(matrix: Matrix, places: np.ndarray | None) -> np.ndarray:
    """Return potentials that flow along each axis, (width, d): cells (n, d), relaxed. Collective.

    Without cells there are none, and nothing flows.
    """
    if places is None:
        return np.empty((matrix.width, 0))
    found = np.empty((matrix.width, places.shape[1]))
    found[: matrix.n] = places
    matrix.halo.forward(found)
    for _ in range(STEPS):
        found[: matrix.n] = conductances.relaxed(matrix.rows, found, DAMPING)
        matrix.halo.forward(found)
    return found


def found(
    matrix: Matrix,
    names: np.ndarray,
    coarse: Matrix,
    potentials: np.ndarray,
    over_correction: float,
    network: Network,
) -> tuple[np.ndarray, float, np.ndarray]:
    """Return what `conductances.factors` does, for the next matrix of aggregates ``names``. Collective."""
    target, _ = numbered(matrix, names, coarse.n)
    inner = np.zeros(matrix.width)
    inner[: matrix.n] = conductances.inside(matrix.rows, target)
    matrix.halo.forward(inner)
    size, tied = (_added(coarse, names, of) for of in (np.ones(matrix.n), 0.5 * inner))
    mean = np.empty((coarse.width, potentials.shape[1]))
    for axis, x in enumerate(potentials.T):
        mean[:, axis] = _added(coarse, names, x) / np.maximum(size, 1.0)
    made = conductances.merged(matrix.rows, target, inner, (potentials, mean), coarse.rows)
    # the diagonal before over-correction goes with couplings before it
    diagonal = np.maximum(coarse.diagonal * over_correction, LEAST)
    ends = np.log(diagonal), np.log(np.maximum(size, 1.0)), tied, mean
    return conductances.factors(coarse.rows, made, ends, network.flat, REACH)


def _added(coarse: Matrix, names: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return sums over aggregates, (width,), of values of own rows. Collective."""
    own, added = names >= 0, np.zeros(coarse.width)
    added[: coarse.n] = np.bincount(names[own], values[: len(names)][own], coarse.n)
    coarse.halo.forward(added)
    return added
