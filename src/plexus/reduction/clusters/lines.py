"""K-lines: clusters of fields around lines through the origin, each the first mode of its own members.

    min over partitions and directions v_k, |v_k| = 1, of mean_i sin² ∠(u_i, v_k(i))

Members go to the line with which their angle is least, and each line becomes the first mode of its normalised
members; both lower the sum (as k-means does; P. S. Bradley, O. L. Mangasarian, J. Glob. Optim. 16 (2000) 23,
doi:10.1023/A:1008324625522). Started from medoids it ends no higher than these. Only the Gram matrix is used:
a line is held as the coefficients of its members.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plexus.reduction.clusters.dissimilarity import _require_lengths

Array = np.ndarray
MOST = 200
"""Sweeps after which the search ends."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Members around lines.

    Attributes
    ----------
    labels : array (members,) of int
        The line of each member.
    objectives : array
        Mean sin² before the first sweep and after each one.
    """

    labels: Array
    objectives: Array


def lines(gram: Array, labels: Array) -> Lines:
    """Return the partition to which alternating assignment leads from a start.

    Parameters
    ----------
    gram : array (members, members)
        Gram matrix of the fields.
    labels : array (members,) of int
        The clusters of the start.

    Raises
    ------
    InputError
        If a field is zero.
    """
    _require_lengths(gram)
    lengths = np.sqrt(np.diag(gram))
    c = gram / np.outer(lengths, lengths)
    labels = np.asarray(labels)
    objectives: list[float] = []
    for _ in range(MOST):
        cosines = np.array([_towards(c, labels == k) for k in range(int(labels.max()) + 1)])
        objectives.append(float(np.mean(1.0 - cosines[labels, np.arange(len(c))])))
        new = np.argmax(cosines, axis=0)
        if (new == labels).all():
            break
        labels = new
    return Lines(labels, np.array(objectives))


def _towards(c: Array, mine: Array) -> Array:
    """Return cos² of the angle of every member with the first mode of some, (members,)."""
    if not mine.any():
        return np.full(len(c), -1.0)
    values, vectors = np.linalg.eigh(c[np.ix_(mine, mine)])
    found: Array = (c[:, mine] @ vectors[:, -1]) ** 2 / values[-1]
    return found
