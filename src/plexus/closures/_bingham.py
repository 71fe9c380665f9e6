"""The Bingham closure's scalar map in the plane, as a table.

A distribution A exp(λ cos 2θ) has r = |f_1|/c = I_1(λ)/I_0(λ) and G = |f_2|/c = I_2(λ)/I_0(λ) = 1 - 2 r/λ.
With s = r² the table holds

    Q(s) = (s - G)/(s (1 - s)),    Q(0) = 1/2, Q(1) = 1,

from which G = s (1 - (1 - s) Q) and the reflection coefficient (G - s)/(1 - s) = -s Q follow without
cancellation at either end; λ itself would be unbounded. Cubic Hermite pieces on a uniform grid.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

NODES = 1024


class BinghamTable:
    """Q(s) on [0, 1] as cubic pieces, on one device in one precision."""

    def __init__(self, device: str | torch.device = "cpu", dtype: torch.dtype | None = None):
        import torch

        table = torch.tensor(_pieces(NODES), dtype=torch.float64).T.contiguous()
        self.table = table.to(device=device, dtype=dtype or torch.float64)

    def __call__(self, s: torch.Tensor) -> torch.Tensor:
        """Return Q(s); s within [0, 1]."""
        import torch

        x = s * NODES
        # a value that is not finite finds some piece, and stays not finite through t
        piece = x.detach().long().clamp_(0, NODES - 1)
        t = x - piece
        a, b, c, d = self.table.index_select(0, piece.flatten()).view(*s.shape, 4).unbind(-1)
        return torch.addcmul(a, torch.addcmul(b, torch.addcmul(c, d, t), t), t)


@lru_cache
def bingham_table(device: str = "cpu", dtype: torch.dtype | None = None) -> BinghamTable:
    """Return the table of one device and precision."""
    return BinghamTable(device, dtype)


@lru_cache
def _pieces(nodes: int) -> list[list[float]]:
    """Return the polynomial coefficients (4, nodes) of the pieces, lowest first."""
    import torch

    s = torch.linspace(0, 1, nodes + 1, dtype=torch.float64)
    q = torch.full_like(s, 0.5)
    q[-1] = 1.0
    q[1:-1] = _exact(s[1:-1])
    slope = _slopes(q)
    rise = q[1:] - q[:-1]
    left, right = slope[:-1], slope[1:]
    return torch.stack([q[:-1], left, 3 * rise - 2 * left - right, left + right - 2 * rise]).tolist()


def _exact(s: torch.Tensor) -> torch.Tensor:
    """Return Q(s), 0 < s < 1, from Newton's iteration for λ."""
    import torch

    r = s.sqrt()
    # I_1/I_0 between its limits λ/2 and 1 - 1/(2 λ); concave in λ, so that Newton converges from here
    lam = r * (2 - s) / (1 - s)
    for _ in range(20):
        ratio = torch.special.i1e(lam) / torch.special.i0e(lam)
        lam = lam - (ratio - r) / (1 - ratio / lam - ratio**2)
    g = 1 - 2 * r / lam
    return (s - g) / (s * (1 - s))


def _slopes(q: torch.Tensor) -> torch.Tensor:
    """Return dq per node distance to fourth order, one-sided at the ends."""
    slope = q.new_zeros(q.shape)
    slope[2:-2] = (q[:-4] - q[4:] + 8 * (q[3:-1] - q[1:-3])) / 12
    ends = q.new_tensor([[-25, 48, -36, 16, -3], [-3, -10, 18, -6, 1]]) / 12
    slope[:2] = ends @ q[:5]
    slope[-2:] = -(ends @ q.flip(0)[:5]).flip(0)
    return slope
