"""Means of cells and faces, values and derivatives in their middles.

With δ² the second difference along a line of cells or faces,

    u(middle) = ū - δ²ū/24 + 3 δ⁴ū/640,     ū = u(middle) + δ²u/24 - 17 δ⁴u/5760,

both of order 6. A flux of order above 2 through the faces of a grid of two or three axes is the mean of the
fluxes in the faces' points, not the flux of the means: P. Buchmüller, C. Helzel, J. Sci. Comput. 61 (2014)
343-368, doi:10.1007/s10915-014-9825-1. Along the normal of a face

    u_x(face) h = (245 a - 25 b + 2 c)/180,     u(face) = (37 a' - 8 b' + c')/60

with differences a, b, c and sums a', b', c' of the nearest, next and third pair of means, of order 6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LAYERS = 2
"""Cells that `middles` and `means` take away at each end of an axis."""


def middles(u: Tensor, axes: Sequence[int]) -> Tensor:
    """Return values in the middles from means along each of some axes."""
    return _corrected(u, axes, -1 / 24, 3 / 640)


def means(u: Tensor, axes: Sequence[int]) -> Tensor:
    """Return means from values in the middles along each of some axes."""
    return _corrected(u, axes, 1 / 24, -17 / 5760)


def _corrected(u: Tensor, axes: Sequence[int], second: float, fourth: float) -> Tensor:
    for axis in axes:
        n = u.shape[axis] - 2 * LAYERS
        twice = u.diff(2, dim=axis)
        four = twice.diff(2, dim=axis)
        u = u.narrow(axis, LAYERS, n) + second * twice.narrow(axis, 1, n) + fourth * four
    return u


def slopes(u: Tensor, axis: int, order: int) -> Tensor:
    """Return the derivative times the spacing on the faces, from means with 1 or 3 ghost layers."""
    if order <= 2:
        return u.diff(dim=axis)
    a, b, c = (_pair(u, axis, k, -1) for k in range(3))
    return (245 * a - 25 * b + 2 * c) / 180


def between(u: Tensor, axis: int, order: int) -> Tensor:
    """Return central values on the faces, from means with 1 or 3 ghost layers."""
    if order <= 2:
        n = u.shape[axis] - 1
        return 0.5 * (u.narrow(axis, 0, n) + u.narrow(axis, 1, n))
    a, b, c = (_pair(u, axis, k, 1) for k in range(3))
    return (37 * a - 8 * b + c) / 60


def _pair(u: Tensor, axis: int, k: int, sign: int) -> Tensor:
    """Return the upper plus or minus the lower cell of the pair k cells away from each face, of 3 layers."""
    n = u.shape[axis] - 5
    return u.narrow(axis, 3 + k, n) + sign * u.narrow(axis, 2 - k, n)
