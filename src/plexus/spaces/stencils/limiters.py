"""Limited slopes of a cell from the differences a and b to its neighbours.

    minmod     the smaller one where the signs agree, else 0
    van_leer   2ab/(a + b) where the signs agree, else 0
    mc         the smallest of 2a, 2b and (a + b)/2 where the signs agree, else 0
    superbee   the larger of minmod(2a, b) and minmod(a, 2b)

All lie in the region where total variation does not rise (P. K. Sweby, SIAM J. Numer. Anal. 21 (1984)
995-1011, doi:10.1137/0721062).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def minmod(a: Tensor, b: Tensor) -> Tensor:
    """Return the difference of smaller size, 0 at extrema."""
    from plexus.spaces.stencils import choices

    return choices.minmod(a, b)


def van_leer(a: Tensor, b: Tensor) -> Tensor:
    """Return the harmonic mean, 0 at extrema."""
    product = a * b
    same = product > 0
    # where the signs differ the sum may be zero, and nothing changes
    return (2 * product / (a + b).where(same, 1.0)).where(same, 0.0)


def mc(a: Tensor, b: Tensor) -> Tensor:
    """Return the central difference, at most twice the smaller one, 0 at extrema."""
    return minmod(2.0 * minmod(a, b), 0.5 * (a + b))


def superbee(a: Tensor, b: Tensor) -> Tensor:
    """Return the steepest slope that keeps total variation from rising."""
    one, other = minmod(2.0 * a, b), minmod(a, 2.0 * b)
    return one.where(one.abs() >= other.abs(), other)


LIMITERS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "minmod": minmod, "van_leer": van_leer, "mc": mc, "superbee": superbee,
}  # fmt: skip
"""Name in decks -> limiter."""
