"""Gauss-Newton with Levenberg's damping, inside of bounds.

    (JᵀJ + R + μ D) s = -∇Φ  on the free numbers,    m ← clip(m + s)

D is the diagonal of JᵀJ + R. μ follows the ratio of what Φ falls by to what the quadratic model says: D. W.
Marquardt, J. SIAM 11 (1963) 431, doi:10.1137/0111030; bounds by projection: C. Kanzow, N. Yamashita, M.
Fukushima, J. Comput. Appl. Math. 172 (2004) 375, doi:10.1016/j.cam.2004.02.013. For up to a few thousand
numbers: the matrix is full.
"""

from __future__ import annotations

import numpy as np

from plexus.calibration.methods import Tell
from plexus.calibration.objective import Array, Ends, Fitted, Objective
from plexus.errors import InputError, SolveError

LARGEST = 4000
"""Most numbers of controls."""
FIRST, LEAST, MOST = 1e-3, 1e-12, 1e8
"""Damping at the start, and its limits."""


def minimised(objective: Objective, start: Array, ends: Ends, tell: Tell) -> Fitted:
    """Return the minimum of Φ near to a start. Collective.

    Raises
    ------
    InputError
        If there are too many numbers for a full matrix.
    """
    if len(start) > LARGEST:
        raise InputError(
            f"calibrate.method: {len(start):,} numbers are too many for gauss_newton; use lbfgs or tao"
        )
    m, mu, prior = objective.clipped(start), FIRST, objective.prior.dense()
    phi, r = objective.value(m)
    history: list[tuple[float, float, float]] = []
    for k in range(ends.iterations + 1):
        j = objective.misfit.jacobian(m)
        g = objective.gradient(m, r)  # J may be that of differences
        history.append((phi, float(r @ r), objective.steepness(m, g)))
        tell(k, *history[-1])
        if k == ends.iterations:
            return Fitted(m, r, history, False, f"{k} iterations were not enough")
        h, before = j.T @ j + prior, phi
        while True:
            trial = objective.clipped(m + _step(objective, h, g, mu, m))
            s = trial - m
            model = -float(g @ s + 0.5 * s @ h @ s)
            if not s.any() or model <= 1e-15 * abs(phi):
                return Fitted(m, r, history, True, "no step makes it smaller")
            try:
                new, there = objective.value(trial)
            except SolveError:
                new, there = np.inf, r
            ratio = (phi - new) / model
            if ratio > 1e-4:
                break
            mu = max(mu, LEAST) * 8
            if mu > MOST:
                return Fitted(m, r, history, ends.settled(before, phi), "no step makes it smaller")
        mu = max(LEAST, mu / 6 if ratio > 0.75 else mu * 2 if ratio < 0.25 else mu)
        m, phi, r = trial, new, there
        if ends.settled(before, phi):
            g = objective.gradient(m, r)
            history.append((phi, float(r @ r), objective.steepness(m, g)))
            tell(k + 1, *history[-1])
            return Fitted(m, r, history, True, f"it fell by less than {ends.tolerance:g} of itself")
    raise AssertionError("the loop returns")


def _step(objective: Objective, h: Array, g: Array, mu: float, m: Array) -> Array:
    """Return the damped step: numbers that would leave their bounds go there, the others adapt to them."""
    s, free = np.zeros_like(g), objective.free(m, g)
    while free.any():
        inner = h[np.ix_(free, free)]
        damped = inner + mu * np.diag(np.maximum(np.diag(inner), 1e-300))
        # what neither data nor prior tell has an empty row: the least norm leaves it where it is
        s[free] = _solved(damped, -(g + h[:, ~free] @ s[~free])[free])
        inside = objective.clipped(m + s)
        out = free & (inside != m + s)
        if not out.any():
            break
        s[out] = (inside - m)[out]
        free &= ~out
    return s


def _solved(a: Array, b: Array) -> Array:
    """Return the solution of a symmetric system, of one without a single solution that of least norm."""
    try:
        lower = np.linalg.cholesky(a)
        return np.asarray(np.linalg.solve(lower.T, np.linalg.solve(lower, b)))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(a, b, rcond=1e-14)[0])
