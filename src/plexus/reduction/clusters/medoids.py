"""K-medoids: K of the members stand for all, so that the mean dissimilarity to the own medoid is least.

    W_K = min over medoids m_1 … m_K of mean_i min_k d(i, m_k)

Partitioning around medoids (L. Kaufman, P. J. Rousseeuw, Finding Groups in Data, Wiley 1990, chapter 2): the
best exchange of a medoid with another member is made while it lowers the sum. The result is a local minimum;
of several starts, one greedy and the others drawn by seed, the best is kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plexus.errors import InputError

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Partition:
    """Members in clusters.

    Attributes
    ----------
    medoids : array (K,) of int
        The member that stands for each cluster, rising.
    labels : array (members,) of int
        The cluster of each member.
    mean : float
        W_K.
    """

    medoids: Array
    labels: Array
    mean: float

    @property
    def sizes(self) -> Array:
        """Members per cluster, (K,)."""
        return np.bincount(self.labels, minlength=len(self.medoids))


def medoids(d: Array, k: int, seed: int = 0, starts: int = 20) -> Partition:
    """Return the best partition of several starts.

    Parameters
    ----------
    d : array (members, members)
        Dissimilarities, symmetric, ≥ 0, 0 on the diagonal.
    k : int
        Number of clusters.
    seed : int
        Seed of the starts that are drawn.
    starts : int
        How many starts; the first is greedy.

    Raises
    ------
    InputError
        If there are fewer members than clusters, or a dissimilarity is no number ≥ 0.
    """
    if not 1 <= k <= len(d):
        raise InputError(f"{len(d)} members cannot be put into {k} clusters")
    if not (np.isfinite(d).all() and (d >= 0).all()):
        raise InputError("dissimilarities must be finite and not negative")
    rng = np.random.default_rng([seed, k])
    begins = [_greedy(d, k), *(rng.choice(len(d), k, replace=False) for _ in range(starts - 1))]
    best = min((_exchanged(d, np.array(begin)) for begin in begins), key=lambda found: found[1])
    chosen = np.sort(best[0])
    return Partition(chosen, assigned(d, chosen), best[1] / len(d))


def assigned(d: Array, chosen: Array) -> Array:
    """Return the cluster of each row of dissimilarities (members, all), that of the nearest medoid."""
    return np.asarray(np.argmin(d[:, chosen], axis=1))


def _greedy(d: Array, k: int) -> Array:
    """Return medoids that are added one after the other, each the one that lowers the sum most."""
    chosen = [int(np.argmin(d.sum(0)))]
    nearest = d[:, chosen[0]].copy()
    while len(chosen) < k:
        gain = np.maximum(nearest[:, None] - d, 0.0).sum(0)
        gain[chosen] = -1.0
        chosen.append(int(np.argmax(gain)))
        nearest = np.minimum(nearest, d[:, chosen[-1]])
    return np.array(chosen)


def _exchanged(d: Array, chosen: Array) -> tuple[Array, float]:
    """Return medoids no exchange of which lowers the sum, and the sum."""
    chosen = chosen.copy()
    every = np.arange(len(d))
    while True:
        near = d[:, chosen]
        first = np.argmin(near, axis=1)
        d1 = near[every, first]
        total = float(d1.sum())
        if len(chosen) > 1:
            near = near.copy()
            near[every, first] = np.inf
        d2 = near.min(axis=1) if len(chosen) > 1 else np.full(len(d), np.inf)
        # the sum with candidate c and without medoid k: min(d_ic, d1) elsewhere, min(d_ic, d2) in k's cluster
        kept = np.minimum(d, d1[:, None])
        common = kept.sum(0)
        sums = np.empty((len(chosen), len(d)))
        for k in range(len(chosen)):
            mine = first == k
            sums[k] = common + (np.minimum(d[mine], d2[mine, None]) - kept[mine]).sum(0)
        left, new = np.unravel_index(int(np.argmin(sums)), sums.shape)
        if not sums[left, new] < total * (1 - 1e-12):
            return chosen, total
        chosen[left] = new
