"""Classifiers of feature vectors: each is fitted to (x, y) and returns probabilities of classes."""

from __future__ import annotations

from typing import Protocol

import numpy as np

Array = np.ndarray


class Classifier(Protocol):
    """Probabilities of classes from features of mean 0 and deviation 1."""

    def fit(self, x: Array, y: Array, classes: int) -> Classifier:
        """Learn from features (members, f) and labels (members,) below ``classes``; return itself."""

    def probabilities(self, x: Array) -> Array:
        """Return rows of probabilities, (members, classes)."""


def shares(scores: Array) -> Array:
    """Return exp(s_c)/Σ exp(s), row by row."""
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def squares(a: Array, b: Array) -> Array:
    """Return squared distances, (rows of a, rows of b)."""
    return np.asarray(((a[:, None] - b) ** 2).sum(2))


def folds(y: Array, count: int, rng: np.random.Generator) -> Array:
    """Return the fold of each member; every class is spread evenly over all folds."""
    found = np.empty(len(y), dtype=np.int64)
    for c in np.unique(y):
        mine = rng.permutation(np.flatnonzero(y == c))
        found[mine] = (np.arange(len(mine)) + rng.integers(count)) % count
    return found
