"""Gauss-Newton with Marquardt's scaling and Nielsen's damping, inside of bounds.

    |A s + b|² + μ |D s|² least on the free numbers,    m ← clip(m + s),    A = (J, √R),  b = (r, √R (m - m₀))

D are the lengths of A's columns. The least squares problem is solved as it stands, by QR: AᵀA = JᵀJ + R
would square its condition, and with it what rounding does to a step. D. W. Marquardt, J. SIAM 11 (1963) 431,
doi:10.1137/0111030; bounds by projection: C. Kanzow, N. Yamashita, M. Fukushima, J. Comput. Appl. Math. 172
(2004) 375, doi:10.1016/j.cam.2004.02.013; damping: `plexus.solvers.damping`. For up to a few thousand
numbers: the matrix is full.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plexus.calibration.methods import Tell
from plexus.calibration.objective import Array, Ends, Fitted, Objective
from plexus.errors import InputError, SolveError
from plexus.solvers.damping import GROWTH, adapted

LARGEST = 4000
"""Most numbers of controls."""
FIRST, LEAST, MOST = 1e-3, 1e-12, 1e8
"""Damping at the start, and its limits."""
ENOUGH = 1e-4
"""Share of the promised fall from which on a step is taken."""


class Model(NamedTuple):
    """The quadratic model ½|A s + b|² of Φ at some numbers, with A (p, n) and b (p,)."""

    a: Array
    b: Array

    def fall(self, s: Array) -> float:
        """Return what it falls by along a step."""
        along = self.a @ s
        return -float(along @ self.b + 0.5 * along @ along)


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
    m, mu, growth, root = objective.clipped(start), FIRST, GROWTH, _root(objective.prior.dense())
    phi, r = objective.value(m)
    history: list[tuple[float, float, float]] = []
    for k in range(ends.iterations + 1):
        j = objective.misfit.jacobian(m)
        g = objective.slope(m, j.T @ r)
        history.append((phi, float(r @ r), objective.steepness(m, g)))
        tell(k, *history[-1])
        if k == ends.iterations:
            return Fitted(m, r, history, False, f"{k} iterations were not enough")
        model, before = _reduced(j, root, r, root @ (m - objective.mean)), phi
        while True:
            trial = objective.clipped(m + _step(objective, model, g, mu, m))
            promised = model.fall(trial - m)
            if promised <= 1e-15 * abs(phi):
                return Fitted(m, r, history, True, "no step makes it smaller")
            try:
                new, there = objective.value(trial)
            except SolveError:
                new, there = np.inf, r
            gain = (phi - new) / promised
            mu, growth = (float(v) for v in adapted(max(mu, LEAST), growth, gain, gain > ENOUGH))
            if gain > ENOUGH:
                break
            if mu > MOST:
                return Fitted(m, r, history, True, "no step makes it smaller")
        m, phi, r = trial, new, there
        if ends.settled(before, phi):
            g = objective.gradient(m, r)
            history.append((phi, float(r @ r), objective.steepness(m, g)))
            tell(k + 1, *history[-1])
            return Fitted(m, r, history, True, f"it fell by less than {ends.tolerance:g} of itself")
    raise AssertionError("the loop returns")


def _root(prior: Array) -> Array:
    """Return √R."""
    values, vectors = np.linalg.eigh(prior)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T)


def _reduced(j: Array, root: Array, r: Array, e: Array) -> Model:
    """Return the model with as few rows as there are numbers, and one."""
    whole = np.column_stack([np.vstack([j, root]), np.concatenate([r, e])])
    upper = np.asarray(np.linalg.qr(whole, mode="r"))
    return Model(upper[:, :-1], upper[:, -1])


def _step(objective: Objective, model: Model, g: Array, mu: float, m: Array) -> Array:
    """Return the damped step: numbers that would leave their bounds go there, the others adapt to them."""
    s, free = np.zeros_like(g), objective.free(m, g)
    while free.any():
        s[free] = _damped(Model(model.a[:, free], model.b + model.a[:, ~free] @ s[~free]), mu)
        inside = objective.clipped(m + s)
        out = free & (inside != m + s)
        if not out.any():
            break
        s[out] = (inside - m)[out]
        free &= ~out
    return s


def _damped(model: Model, mu: float) -> Array:
    """Return s with |A s + b|² + μ |D s|² least; what A does not depend on stays where it is."""
    d = np.linalg.norm(model.a, axis=0)
    d[d == 0.0] = 1.0
    n = len(d)
    rows = np.vstack([model.a / d, np.sqrt(mu) * np.eye(n)])
    whole = np.column_stack([rows, np.concatenate([model.b, np.zeros(n)])])
    upper = np.asarray(np.linalg.qr(whole, mode="r"))
    return np.asarray(-np.linalg.solve(upper[:n, :n], upper[:n, n]) / d)
