"""Limited-memory BFGS with projection onto bounds, in the scale of the controls.

    m ← clip(m - α B g),    B from the last pairs (Δm, Δ∇Φ), at first the inverse of R + 1/scale²

Only gradients are needed, one adjoint run each. The first B makes the steps independent of the mesh. D. C.
Liu, J. Nocedal, Math. Program. 45 (1989) 503, doi:10.1007/BF01589116; projection: D. P. Bertsekas, SIAM J.
Control Optim. 20 (1982) 221, doi:10.1137/0320018.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from plexus.calibration.methods import Tell
from plexus.calibration.objective import Array, Ends, Fitted, Objective
from plexus.errors import SolveError
from plexus.solvers.gram import Gram

PAIRS, SHRINK, TRIES = 20, 0.3, 25
ARMIJO = 1e-4
STRIDE = 1.0
"""Longest step in scales of the numbers."""


def minimised(objective: Objective, start: Array, ends: Ends, tell: Tell) -> Fitted:
    """Return the minimum of Φ near to a start. Collective."""
    metric = objective.prior.plus(Gram.of(np.diag(objective.scale**-2.0)), 1.0)
    m = objective.clipped(start)
    phi, r = objective.value(m)
    g = objective.gradient(m, r)
    history = [(phi, float(r @ r), objective.steepness(m, g))]
    tell(0, *history[-1])
    pairs: deque[tuple[Array, Array]] = deque(maxlen=PAIRS)
    for k in range(1, ends.iterations + 1):
        found = _search(objective, m, phi, g, _direction(objective, metric, pairs, m, g))
        if found is None and pairs:
            pairs.clear()  # curvature of another place: begin with the gradient again
            found = _search(objective, m, phi, g, _direction(objective, metric, pairs, m, g))
        if found is None:
            return Fitted(m, r, history, history[-1][2] <= 1e-6 * history[0][2], "no step makes it smaller")
        before, (new, phi, r) = phi, found
        other = objective.gradient(new, r)
        if (new - m) @ (other - g) > 1e-12 * np.linalg.norm(new - m) * np.linalg.norm(other - g):
            pairs.append((new - m, other - g))
        m, g = new, other
        history.append((phi, float(r @ r), objective.steepness(m, g)))
        tell(k, *history[-1])
        if ends.settled(before, phi):
            return Fitted(m, r, history, True, f"it fell by less than {ends.tolerance:g} of itself")
    return Fitted(m, r, history, False, f"{ends.iterations} iterations were not enough")


def _direction(
    objective: Objective, metric: Gram, pairs: deque[tuple[Array, Array]], m: Array, g: Array
) -> Array:
    """Return -B g on the free numbers, by the recursion over the pairs."""
    free = objective.free(m, g)
    q, factors = np.where(free, g, 0.0), []
    for s, y in reversed(pairs):
        a = (s @ q) / (s @ y)
        q = q - a * y
        factors.append(a)
    z = metric.solve(np.where(free, q, 0.0))
    if pairs:
        s, y = pairs[-1]
        z *= (s @ y) / (y @ metric.solve(y))
    for (s, y), a in zip(pairs, reversed(factors), strict=True):
        z = z + s * (a - (y @ z) / (s @ y))
    return -np.where(free, z, 0.0)


def _search(
    objective: Objective, m: Array, phi: float, g: Array, d: Array
) -> tuple[Array, float, Array] | None:
    """Return numbers along the projected direction where Φ is low enough, Φ and r; None if there are none."""
    # the first steps know no curvature: none is longer than the numbers' own scale
    step = min(1.0, STRIDE / float(np.abs(d / objective.scale).max(initial=1e-300)))
    for _ in range(TRIES):
        trial = objective.clipped(m + step * d)
        fall = float(g @ (trial - m))
        if fall < 0:
            try:
                new, r = objective.value(trial)
            except SolveError:
                new, r = np.inf, m
            if new <= phi + ARMIJO * fall:
                return trial, new, r
        step *= SHRINK
    return None
