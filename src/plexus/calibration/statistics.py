"""What the data tell of the numbers, and what they leave open.

    H = JᵀJ + R,    C = H⁻¹  (covariance of what is known after),    JᵀJ v = λ R v

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


@dataclass(frozen=True)
class Statistics:
    """Estimate of what is known.

    Attributes
    ----------
    spectrum : λ in falling order, (n,).
    directions : v of each λ, columns (n, n), of length one in the scale of the numbers.
    std : standard deviation of each number, (n,); infinite where nothing is known, zero where it is held.
    before : the same without the data.
    held : numbers at a bound.
    """

    spectrum: Array
    directions: Array
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
    std, before = (np.zeros(len(m)) for _ in range(2))
    std[free], before[free] = _deviations(j.T @ j + prior), _deviations(prior)
    directions = np.zeros((len(m), len(spectrum)))
    directions[free] = inner
    return Statistics(spectrum, directions, std * scale, before * scale, ~free)


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


def _deviations(precision: Array) -> Array:
    """Return the standard deviations to a precision matrix; infinite where it leaves a number open."""
    if not len(precision):
        return np.empty(0)
    values, vectors = np.linalg.eigh(precision)
    known = values > max(values.max() * 1e-14, OPEN**-2.0)
    variance = (vectors[:, known] ** 2 / values[known]).sum(1)
    # a number that takes part in an open direction is open itself
    unknown = (vectors[:, ~known] ** 2).sum(1) > 1e-10
    return np.where(unknown, np.inf, np.sqrt(variance))
