"""Gaussian classes of one covariance (linear) or of their own (quadratic), shrunk towards its diagonal.

    ln p_c(x) = ln π_c - ½ ln|Σ_c| - ½ (x - µ_c)ᵀ Σ_c⁻¹ (x - µ_c) + const,    Σ ← (1 - s) Σ + s diag Σ

J. H. Friedman, J. Am. Stat. Assoc. 84 (1989) 165, doi:10.1080/01621459.1989.10478752.
"""

from __future__ import annotations

import numpy as np

from plexus.recommendation.classifiers import shares

Array = np.ndarray
FLOOR = 1e-3
"""Variance below which none is taken; features have variance 1."""


class Discriminant:
    """A classifier of Gaussian classes; ``own`` gives each class its own covariance."""

    def __init__(self, shrink: float = 0.1, own: bool = False):
        self.shrink, self.own = shrink, own
        self.prior, self.means, self.covariances = np.empty(0), np.empty((0, 0)), np.empty((0, 0, 0))

    def fit(self, x: Array, y: Array, classes: int) -> Discriminant:
        """Find means and covariances; a class without members is never taken."""
        sizes = np.bincount(y, minlength=classes)
        with np.errstate(divide="ignore"):
            self.prior = np.log(sizes / len(y))
        self.means = np.array(
            [x[y == c].mean(0) if sizes[c] else np.zeros(x.shape[1]) for c in range(classes)]
        )
        apart = x - self.means[y]
        pooled = apart.T @ apart / max(len(y) - classes, 1)
        raw = [
            (apart[y == c].T @ apart[y == c] + pooled) / max(sizes[c], 1) if self.own else pooled
            for c in range(classes)
        ]
        self.covariances = np.array([self._shrunk(s) for s in raw])
        return self

    def _shrunk(self, s: Array) -> Array:
        return np.asarray((1 - self.shrink) * s + self.shrink * np.diag(np.diag(s)) + FLOOR * np.eye(len(s)))

    def probabilities(self, x: Array) -> Array:
        """Return rows of probabilities."""
        scores = []
        for prior, mean, s in zip(self.prior, self.means, self.covariances, strict=True):
            d = x - mean
            reach = (d * np.linalg.solve(s, d.T).T).sum(1)
            scores.append(prior - 0.5 * np.linalg.slogdet(s)[1] - 0.5 * reach)
        return shares(np.array(scores).T)
