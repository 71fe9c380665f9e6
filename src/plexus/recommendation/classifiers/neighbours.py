"""The classes of the k nearest members, each as likely as it is frequent among them.

T. M. Cover, P. E. Hart, IEEE Trans. Inf. Theory 13 (1967) 21, doi:10.1109/TIT.1967.1053964.
"""

from __future__ import annotations

import numpy as np

from plexus.recommendation.classifiers import squares

Array = np.ndarray


class Neighbours:
    """A local classifier."""

    def __init__(self, k: int = 5):
        self.k, self.x, self.target = k, np.empty((0, 0)), np.empty((0, 0))

    def fit(self, x: Array, y: Array, classes: int) -> Neighbours:
        """Remember the members."""
        self.x, self.target = x, np.eye(classes)[y]
        return self

    def probabilities(self, x: Array) -> Array:
        """Return rows of shares; the nearest member decides between equal ones."""
        apart = squares(x, self.x)
        k = min(self.k, len(self.x))
        near = np.argsort(apart, axis=1, kind="stable")[:, :k]
        # weights that fall by a little, too little to outvote anybody
        weight = 1 + 0.1 / self.k * np.linspace(1, 0, k)
        return np.asarray(np.einsum("ijc,j->ic", self.target[near], weight) / weight.sum())
