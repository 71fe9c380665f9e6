"""What clusters promise before a model is built, and what local bases of them leave of a field.

    G(K) = 1 - W_K/W_1,    e(u, V) = |u - Π_V u|/|u|,    d_n(A) = min_{dim V = n} max_{u ∈ A} e(u, V)

W_K is the mean dissimilarity to the own medoid: G needs the dissimilarities only. Bases V are the leading
modes of normalised members. All of it follows from Gram matrices. Normalised widths and their connection
with the sine: T. Daniel, F. Casenave, N. Akkari, D. Ryckelynck, arXiv:2108.12291.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plexus.errors import InputError
from plexus.reduction.clusters.medoids import Partition, medoids

Array = np.ndarray


def partitions(d: Array, most: int, seed: int = 0, starts: int = 20) -> list[Partition]:
    """Return the best partitions into 1, 2, … ``most`` clusters."""
    return [medoids(d, k, seed, starts) for k in range(1, min(most, len(d)) + 1)]


def gains(found: Sequence[Partition]) -> Array:
    """Return G(K) of partitions into 1, 2, … clusters; 0 where all members are alike."""
    first = found[0].mean
    return np.array([1 - p.mean / first if first > 0 else 0.0 for p in found])


def choose(found: Sequence[Partition], least: float, smallest: int) -> int:
    """Return the number of clusters after which another one adds less than ``least`` to the gain.

    Partitions with a cluster of fewer than ``smallest`` members are passed over.

    Raises
    ------
    InputError
        If even one cluster has fewer.
    """
    if found[0].sizes.min() < smallest:
        raise InputError(f"a cluster needs {smallest} members, and there are {found[0].sizes.sum()}")
    g, best = gains(found), 1
    for k in range(2, len(found) + 1):
        if g[k - 1] - g[best - 1] < least * (k - best):
            break
        if found[k - 1].sizes.min() >= smallest:
            best = k
    return best


def leading(gram: Array, chosen: Array, count: int) -> Array:
    """Return the coefficients (fields, n) of the leading modes of some fields, each normalised first."""
    lengths = np.sqrt(np.diag(gram)[chosen])
    c = gram[np.ix_(chosen, chosen)] / np.outer(lengths, lengths)
    values, vectors = np.linalg.eigh((c + c.T) / 2)
    n = min(count, int((values > 1e-12 * values[-1]).sum()))
    found = np.zeros((len(gram), n))
    found[chosen] = vectors[:, ::-1][:, :n] / np.sqrt(values[::-1][:n]) / lengths[:, None]
    return found


def left(gram: Array, basis: Array, which: Array) -> Array:
    """Return e of some fields on a basis given by its coefficients (fields, n)."""
    inside = ((gram[which] @ basis) ** 2).sum(1)
    found: Array = np.sqrt(np.clip(1 - inside / np.diag(gram)[which], 0.0, 1.0))
    return found


def widths(gram: Array, labels: Array, counts: Sequence[int]) -> Array:
    """Return bounds of the normalised widths d_n of every cluster, (clusters, len(counts))."""
    found = []
    for k in range(int(labels.max()) + 1):
        mine = np.flatnonzero(labels == k)
        found.append([left(gram, leading(gram, mine, n), mine).max() for n in counts])
    return np.array(found)


def nested(gram: Array, d: Array, most: int, seed: int = 0, starts: int = 20) -> Array:
    """Return bounds of the largest d_1 of 1, 2, … ``most`` clusters, each made by splitting the widest one.

    A cluster's bound is the least over the first modes of all clusters so far and over all members of the
    largest sine, so that splitting never raises it. ``d`` are the sines of the members.
    """
    every = np.arange(len(gram))
    clusters, found = [every], []
    sines = np.vstack([d, left(gram, leading(gram, every, 1), every)])
    for _ in range(most):
        wide = [sines[:, mine].max(1).min() for mine in clusters]
        found.append(max(wide))
        mine = clusters.pop(int(np.argmax(wide)))
        if len(mine) < 2:
            break
        label = medoids(d[np.ix_(mine, mine)], 2, seed, starts).labels
        clusters += [mine[label == k] for k in (0, 1)]
        sines = np.vstack([sines, *(left(gram, leading(gram, c, 1), every) for c in clusters[-2:])])
    return np.array(found)
