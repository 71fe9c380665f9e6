"""Ridge logistic regression of several classes, by Newton's method.

    min_W  -Σ_i ln p_{y_i}(x_i) + (λ/2)|W|²,    p(x) = softmax(W [x, 1])

Convex; the constant is not punished beyond what makes the solution unique. S. le Cessie, J. C. van
Houwelingen, Appl. Stat. 41 (1992) 191, doi:10.2307/2347628.
"""

from __future__ import annotations

import numpy as np

from plexus.recommendation.classifiers import shares

Array = np.ndarray
MOST, ENOUGH = 50, 1e-8


class Logistic:
    """A linear classifier."""

    def __init__(self, ridge: float = 1.0):
        self.ridge, self.weights = ridge, np.empty((0, 0))

    def fit(self, x: Array, y: Array, classes: int) -> Logistic:
        """Find the weights (f + 1, classes)."""
        z, target = _extended(x), np.eye(classes)[y]
        punished = np.full((z.shape[1], classes), self.ridge)
        punished[-1] = 1e-6
        w = np.zeros((z.shape[1], classes))
        value = _loss(w, z, target, punished)
        for _ in range(MOST):
            p = shares(z @ w)
            slope = z.T @ (p - target) + punished * w
            if np.abs(slope).max() <= ENOUGH * len(x):
                break
            curved = np.einsum("ia,ic,ib,id->acbd", z, p, z, -p, optimize=True)
            for c in range(classes):
                curved[:, c, :, c] += (z * p[:, c : c + 1]).T @ z
            size = w.size
            step = np.linalg.solve(curved.reshape(size, size) + np.diag(punished.ravel()), slope.ravel())
            w, value = _shortened(w, step.reshape(w.shape), value, z, target, punished)
        self.weights = w
        return self

    def probabilities(self, x: Array) -> Array:
        """Return rows of probabilities."""
        return shares(_extended(x) @ self.weights)


def _extended(x: Array) -> Array:
    return np.column_stack([x, np.ones(len(x))])


def _loss(w: Array, z: Array, target: Array, punished: Array) -> float:
    p = (shares(z @ w) * target).sum(1)
    return float(-np.log(np.maximum(p, 1e-300)).sum() + 0.5 * (punished * w**2).sum())


def _shortened(
    w: Array, step: Array, value: float, z: Array, target: Array, punished: Array
) -> tuple[Array, float]:
    """Return the point of a halved step that lowers the loss."""
    for k in range(30):
        new = w - 0.5**k * step
        found = _loss(new, z, target, punished)
        if found <= value:
            return new, found
    return w, value
