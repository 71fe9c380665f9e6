"""Kernel ridge regression of how far a member is from the medoid of each class.

    (d_c²(x) - m_c)/s ≈ Σ_i k(z, z_i) a_ic,    (K + λ) a = (d² - m)/s,    k(z, z') = exp(-|z - z'|²/2ℓ²)

m_c are means of the training, s its deviation; z are principal components of the features x, each divided by
the root of its deviation: leading ones count more, those behind them still something. Which medoid is nearest
is a jump where two are equally near; how near each of them is has none, and every member tells it of all of
them. ℓ and λ are those whose members, left out one at a time, are foretold best, which needs no further fit:
r_i = a_i/[(K + λ)⁻¹]_ii (C. E. Rasmussen, C. K. I. Williams, Gaussian Processes for Machine Learning, MIT
Press 2006, section 5.4.2).
"""

from __future__ import annotations

from itertools import product

import numpy as np

from plexus.recommendation.classifiers import squares

Array = np.ndarray
LENGTHS, RIDGES = (0.4, 0.6, 0.8, 1.1, 1.5, 2.0), (1e-4, 1e-3, 1e-2, 3e-2)
"""ℓ in root mean square distances of members, and λ, that are tried."""
SMALL = 1e-6
"""Deviation, relative to the largest, below which a component is rounding."""


class Kernel:
    """A smooth guess of dissimilarities.

    Attributes
    ----------
    turn : array (f, n)
        From features to z.
    z : array (members, n)
        z of the training.
    weights : array (members, classes)
        a.
    length : float
        ℓ.
    left_out : array (members, classes)
        What is foretold of each member by all others.
    """

    def __init__(self) -> None:
        self.turn, self.z = np.empty((0, 0)), np.empty((0, 0))
        self.weights, self.left_out, self.length = np.empty((0, 0)), np.empty((0, 0)), 1.0

    def fit(self, x: Array, far: Array) -> Kernel:
        """Learn from features (members, f) and squared dissimilarities (members, classes)."""
        _, sizes, axes = np.linalg.svd(x - x.mean(0), full_matrices=False)
        told = sizes > SMALL * sizes[0]
        self.turn = axes[told].T / np.sqrt(sizes[told])
        self.z = x @ self.turn
        apart, target, least = squares(self.z, self.z), (far - far.mean(0)) / (far.std() or 1.0), np.inf
        size = float(np.sqrt(apart.mean())) or 1.0
        for share, ridge in product(LENGTHS, RIDGES):
            length = share * size
            inverse = np.linalg.inv(np.exp(-apart / (2 * length**2)) + ridge * np.eye(len(x)))
            weights = inverse @ target
            rest = weights / np.diag(inverse)[:, None]
            if (missed := float((rest**2).sum())) < least:
                least, self.length, self.weights, self.left_out = missed, length, weights, target - rest
        return self

    def answers(self, x: Array) -> Array:
        """Return what is foretold, (d² - m)/s, (members, classes)."""
        return np.asarray(np.exp(-squares(x @ self.turn, self.z) / (2 * self.length**2)) @ self.weights)
