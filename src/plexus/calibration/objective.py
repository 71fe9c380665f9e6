"""What is made small: the misfit in standard deviations, and the distance from what was known before.

    Φ(m) = ½ |r(m)|² + ½ (m - m₀)ᵀ R (m - m₀),    r = (y(m) - d)/σ
    ∇Φ = Jᵀ r + R (m - m₀),    H = JᵀJ + R         (Gauss-Newton)

m are the numbers of all controls, of which every rank has a copy, y the run's answers, d the measurements.
For independent errors of standard deviation σ and a Gaussian m with mean m₀ and precision R, Φ is minus the
logarithm of the posterior density (A. Tarantola, Inverse Problem Theory, SIAM 2005,
doi:10.1137/1.9780898717921).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from plexus.solvers.gram import Gram

Array = np.ndarray


class Misfit(Protocol):
    """The run as a function of the numbers of its controls; every method is collective."""

    def residuals(self, m: Array) -> Array:
        """Return r(m), (k,).

        Raises
        ------
        plexus.errors.SolveError
            If the run fails with these numbers.
        """

    def pulled(self, m: Array, w: Array) -> Array:
        """Return Jᵀ w, (n,), for weights (k,)."""

    def jacobian(self, m: Array) -> Array:
        """Return J, (k, n)."""


@dataclass(frozen=True)
class Objective:
    """Misfit, prior and bounds.

    Attributes
    ----------
    misfit : r, Jᵀw and J.
    prior : R; zero where nothing is known.
    mean : m₀, (n,).
    low, high : bounds, (n,).
    scale : size of the numbers, (n,), by which methods make them comparable.
    """

    misfit: Misfit
    prior: Gram
    mean: Array
    low: Array
    high: Array
    scale: Array

    def value(self, m: Array) -> tuple[float, Array]:
        """Return Φ and r."""
        r, e = self.misfit.residuals(m), m - self.mean
        return 0.5 * float(r @ r) + 0.5 * float(e @ self.prior.times(e)), r

    def gradient(self, m: Array, r: Array) -> Array:
        """Return ∇Φ."""
        return self.slope(m, self.misfit.pulled(m, r))

    def slope(self, m: Array, of_data: Array) -> Array:
        """Return ∇Φ where Jᵀr is known."""
        return of_data + self.prior.times(m - self.mean)

    def clipped(self, m: Array) -> Array:
        """Return the nearest numbers within the bounds."""
        return np.clip(m, self.low, self.high)

    def free(self, m: Array, g: Array) -> Array:
        """Return which numbers can move: not at a bound against which the gradient pushes them."""
        return ~(((m <= self.low) & (g > 0)) | ((m >= self.high) & (g < 0)))

    def steepness(self, m: Array, g: Array) -> float:
        """Return |∇Φ| over the free numbers, each in its scale."""
        return float(np.linalg.norm((g * self.scale)[self.free(m, g)]))


@dataclass(frozen=True)
class Fitted:
    """What a method has found.

    Attributes
    ----------
    m : numbers of the controls.
    r : residuals there.
    history : Φ, |r|² and steepness after each iteration, the start first.
    converged : whether it ended because nothing was left to do.
    reason : in words.
    """

    m: Array
    r: Array
    history: list[tuple[float, float, float]]
    converged: bool
    reason: str


@dataclass(frozen=True)
class Ends:
    """When a method ends: after so many iterations, or when Φ falls by less than this share in one."""

    iterations: int
    tolerance: float

    def settled(self, before: float, after: float) -> bool:
        """Return whether an accepted iteration has hardly changed Φ."""
        return before - after <= self.tolerance * max(abs(after), 1e-300)
