"""What the data tell of the numbers, and what they leave open.

    H = JᵀJ + R,    C = H⁻¹ = F Fᵀ  (covariance of what is known after),    JᵀJ v = λ R v

λ says how many times better the data know a direction v than what was known before: above one it is seen,
below one it stays as it was. Σ λ/(1 + λ) counts the seen ones. Without a prior R is the inverse square of
each number's scale, and where C has no bound a number is not determined at all. At a bound a number is held.
T. Bui-Thanh, O. Ghattas, J. Martin, G. Stadler, SIAM J. Sci. Comput. 35 (2013) A2494, doi:10.1137/12089586X.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plexus.calibration.objective import Array, Objective

OPEN = 1e8
"""Standard deviation in scales from which on a number counts as not determined."""
UNKNOWN = 1e-10
"""Share of its square that a number may have in open directions."""


@dataclass(frozen=True)
class Spread:
    """A normal distribution of the free numbers, C = F Fᵀ, without bound along some directions.

    Attributes
    ----------
    root : F, (free, r), in units of the scales.
    open : directions without bound, columns (free, q).
    scale, free : size of each number, (n,), and which of them are free.
    """

    root: Array
    open: Array
    scale: Array
    free: Array

    def of(self, rows: Array) -> Array:
        """Return the standard deviations (k,) of sums ``rows`` (k, n) of the numbers, to first order."""
        inner = (rows * self.scale)[:, self.free]
        unknown = ((inner @ self.open) ** 2).sum(1) > UNKNOWN * (inner**2).sum(1)
        return np.where(unknown, np.inf, np.linalg.norm(inner @ self.root, axis=1))

    @property
    def each(self) -> Array:
        """Standard deviation of each number, (n,); zero where it is held."""
        found = np.zeros(len(self.scale))
        # a number that takes part in an open direction is open itself
        unknown = (self.open**2).sum(1) > UNKNOWN
        found[self.free] = np.where(unknown, np.inf, np.linalg.norm(self.root, axis=1))
        return found * self.scale


@dataclass(frozen=True)
class Statistics:
    """Estimate of what is known.

    Attributes
    ----------
    spectrum : λ in falling order, (n,).
    directions : v of each λ, columns (n, n), of length one in the scale of the numbers.
    after : what is known of the numbers.
    std : standard deviation of each number, (n,); infinite where nothing is known, zero where it is held.
    before : the same without the data.
    held : numbers at a bound.
    """

    spectrum: Array
    directions: Array
    after: Spread
    std: Array
    before: Array
    held: Array

    @property
    def seen(self) -> float:
        """How many directions the data determine."""
        return float(np.sum(self.spectrum / (1 + self.spectrum)))

    @property
    def share(self) -> Array:
        """How much of each number's variance the data take away, from 0 to 1."""
        with np.errstate(invalid="ignore", divide="ignore"):
            left = (self.std / self.before) ** 2
        return np.clip(np.where(np.isfinite(self.before), 1 - left, np.isfinite(self.std)), 0.0, 1.0)


def statistics(objective: Objective, m: Array, jacobian: Array) -> Statistics:
    """Return the statistics at fitted numbers."""
    scale, g = objective.scale, objective.gradient(m, objective.misfit.residuals(m))
    free = objective.free(m, g)
    # everything in units of the scales, so that numbers of different units can be compared
    j = (jacobian * scale)[:, free]
    prior = (objective.prior.dense() * np.outer(scale, scale))[np.ix_(free, free)]
    spectrum, inner = _generalised(j, prior)
    after, before = (_spread(precision, scale, free) for precision in (j.T @ j + prior, prior))
    directions = np.zeros((len(m), len(spectrum)))
    directions[free] = inner
    return Statistics(spectrum, directions, after, after.each, before.each, ~free)


def _generalised(j: Array, prior: Array) -> tuple[Array, Array]:
    """Return λ and v of JᵀJ v = λ R v; R is the identity along directions of which nothing is known."""
    values, vectors = np.linalg.eigh(prior) if len(prior) else (np.empty(0), np.empty((0, 0)))
    known = values > 1e-12 * max(values.max(initial=0.0), 1e-300)
    root = vectors / np.sqrt(np.where(known, values, 1.0))
    _, s, vt = np.linalg.svd(j @ root, full_matrices=True)
    spectrum = np.zeros(j.shape[1])
    spectrum[: len(s)] = s[: j.shape[1]] ** 2
    directions = root @ vt.T
    return spectrum, directions / np.maximum(np.linalg.norm(directions, axis=0), 1e-300)


def _spread(precision: Array, scale: Array, free: Array) -> Spread:
    """Return the distribution to a precision matrix of the free numbers, in units of the scales."""
    values, vectors = np.linalg.eigh(precision) if len(precision) else (np.empty(0), np.empty((0, 0)))
    known = values > max(values.max(initial=0.0) * 1e-14, OPEN**-2.0)
    return Spread(vectors[:, known] / np.sqrt(values[known]), vectors[:, ~known], scale, free)
