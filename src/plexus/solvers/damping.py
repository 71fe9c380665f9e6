"""Nielsen's damping of Gauss-Newton steps. It follows the gain ϱ: what a trial gains over what it promised.

    better:  μ ← μ max(1/3, 1 - (2ϱ - 1)³),  ν ← 2        else:  μ ← μ ν,  ν ← 2ν

H. B. Nielsen, Damping parameter in Marquardt's method, IMM-REP-1999-05, Technical University of Denmark,
1999; K. Madsen, H. B. Nielsen, O. Tingleff, Methods for Non-Linear Least Squares Problems, 2nd ed., DTU 2004,
algorithm 3.16.
"""

from __future__ import annotations

from plexus.fields.arrays import Array, maximum, where

GROWTH = 2.0
"""ν at first, and after a step that was taken."""


def adapted(mu: Array, growth: Array, gain: Array, better: Array) -> tuple[Array, Array]:
    """Return μ and ν after a trial, of numbers or of arrays of them.

    Parameters
    ----------
    mu, growth
        μ and ν of the trial.
    gain
        ϱ; of trials that are not taken it has no meaning.
    better
        Whether the trial is taken.
    """
    less = maximum(1 - (2 * gain - 1) ** 3, 1 / 3)
    return mu * where(better, less, growth), where(better, GROWTH, 2 * growth)
