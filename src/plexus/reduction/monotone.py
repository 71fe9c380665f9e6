"""Functions between nodes of a line: cubic pieces that are as monotone as the nodes.

Slopes are harmonic means of those of the neighbouring intervals, weighted by their lengths, and zero where
these differ in sign. Source: F. N. Fritsch, J. Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300,
doi:10.1137/0905021. The error is of fourth order where the function is smooth and monotone, of second order
at extrema.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def slopes(x: Array, w: Array) -> Array:
    """Return the slope at each of the rising nodes ``x`` (n,) of values (n,); n > 2."""
    h, s = np.diff(x), np.diff(w) / np.diff(x)
    a, b = 2 * h[1:] + h[:-1], h[1:] + 2 * h[:-1]
    same = s[:-1] * s[1:] > 0
    left, right = np.where(same, s[:-1], 1.0), np.where(same, s[1:], 1.0)
    inner = np.where(same, (a + b) / (a / left + b / right), 0.0)
    return np.concatenate([s[:1], inner, s[-1:]])


def interpolated(x: Array, w: Array, at: Array, before: float, behind: float) -> Array:
    """Return the values at places ``at`` (k,); ``before`` and ``behind`` are those beyond the nodes."""
    d = slopes(x, w)
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    h = x[i + 1] - x[i]
    s = (at - x[i]) / h
    # Hermite's cubic of values and slopes at both ends
    found = (1 + 2 * s) * (1 - s) ** 2 * w[i] + s**2 * (3 - 2 * s) * w[i + 1]
    found += s * (1 - s) ** 2 * h * d[i] - s**2 * (1 - s) * h * d[i + 1]
    return np.where(at < x[0], before, np.where(at > x[-1], behind, found))
