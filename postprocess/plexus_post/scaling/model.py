"""A model of run time over ranks: what is measured on few ranks, carried on to many, with its assumptions.

    T(p, N) = a N/p  +  b log2 p  +  c (N/p)^((d-1)/d) [p > 1]

====== ==================================================================== ====
symbol meaning                                                              unit
====== ==================================================================== ====
T      wall time without start-up                                           s
p, N   ranks, unknowns                                                      1
d      dimension of the mesh                                                1
a      computing, proportional to the unknowns of a rank                    s
b      latency of collective operations, a tree of depth log2 p             s
c      halo exchange, proportional to the surface of a rank's part          s
====== ==================================================================== ====

The coefficients are not negative and make the relative error least. Three columns have eight subsets, so the
constrained minimum is found by trying all of them: it is the best unconstrained one that has no negative
coefficient (C. L. Lawson, R. J. Hanson, Solving Least Squares Problems, 1974, doi:10.1137/1.9781611971217).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

TERMS = ("compute", "latency", "bandwidth")


@dataclass(frozen=True)
class Model:
    """The fitted model.

    Attributes
    ----------
    coefficients : (3,) a, b, c; dim : d.
    residual : root of the mean squared relative error of the fit.
    points, freedom : number of measurements, and how many more than coefficients that are not zero.
    spread : (S, 3) coefficients fitted without one of the measurements each; empty with fewer than four.
    """

    coefficients: np.ndarray
    dim: int
    residual: float
    points: int
    freedom: int
    spread: np.ndarray

    def terms(self, ranks: np.ndarray, unknowns: np.ndarray) -> np.ndarray:
        """Return the seconds of each term (n, 3) on ``ranks`` with ``unknowns`` (n,)."""
        return columns(ranks, unknowns, self.dim) * self.coefficients

    def time(self, ranks: np.ndarray, unknowns: np.ndarray) -> np.ndarray:
        """Return the predicted seconds (n,)."""
        return np.asarray(self.terms(ranks, unknowns).sum(axis=1))

    def band(self, ranks: np.ndarray, unknowns: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return least and greatest prediction with one measurement left out; None if there are too few."""
        if not len(self.spread):
            return None
        each = columns(ranks, unknowns, self.dim) @ self.spread.T
        return each.min(axis=1), each.max(axis=1)

    def assumptions(self) -> list[str]:
        """Return what must hold for the extrapolation, in sentences."""
        return [
            "Work per unknown and numbers of steps and iterations stay as measured.",
            f"Partitions are compact: the surface of a part grows like (N/p)^({self.dim - 1}/{self.dim}).",
            "Collective operations are trees; the network carries any number of ranks as it does these.",
            "Ranks of one host share its memory bandwidth; that loss is part of the fitted terms, and other "
            "hosts than the measured one may share less or more.",
            "Start-up and what belongs to no phase are left out; files are written as fast as measured.",
        ]


def columns(ranks: np.ndarray, unknowns: np.ndarray, dim: int) -> np.ndarray:
    """Return N/p, log2 p and the surface of a part as columns (n, 3)."""
    p, share = np.asarray(ranks, dtype=float), np.asarray(unknowns, dtype=float) / np.asarray(ranks)
    return np.column_stack([share, np.log2(p), np.where(p > 1, share ** ((dim - 1) / dim), 0.0)])


def fit(ranks: Sequence[int], unknowns: Sequence[int], seconds: Sequence[float], dim: int) -> Model:
    """Return the model that fits measurements best in relative error.

    Parameters
    ----------
    ranks, unknowns, seconds
        One entry per measurement; times are positive.
    dim
        Dimension of the mesh.
    """
    p, n, t = (np.asarray(values, dtype=float) for values in (ranks, unknowns, seconds))
    matrix = columns(p, n, dim) / t[:, None]
    best = nonnegative(matrix)
    # every measurement left out once tells how much the prediction hangs on it
    left_out = [np.delete(matrix, i, axis=0) for i in range(len(t))] if len(t) > 3 else []
    error = matrix @ best - 1
    return Model(
        coefficients=best,
        dim=dim,
        residual=float(np.sqrt(np.mean(error**2))),
        points=len(t),
        freedom=len(t) - int(np.count_nonzero(best)),
        spread=np.array([nonnegative(rows) for rows in left_out]).reshape(-1, 3),
    )


def nonnegative(matrix: np.ndarray) -> np.ndarray:
    """Return the coefficients (m,) ≥ 0 for which the rows' sums come closest to one."""
    count = matrix.shape[1]
    best, least = np.zeros(count), float(len(matrix))
    # columns of very different size: scaled to one they do not spoil the rank decision
    size = np.linalg.norm(matrix, axis=0)
    for kept in (list(c) for k in range(1, count + 1) for c in combinations(range(count), k)):
        if not size[kept].all():
            continue
        solution = np.linalg.lstsq(matrix[:, kept] / size[kept], np.ones(len(matrix)), rcond=1e-10)[0]
        error = float(np.sum((matrix[:, kept] / size[kept] @ solution - 1) ** 2))
        # a further term must earn its place, otherwise the simpler model is taken
        if (solution >= 0).all() and error < least * (1 - 1e-9) - 1e-15:
            best, least = np.zeros(count), error
            best[kept] = solution / size[kept]
    return best
