"""Places on a line and times, with derivatives of fields that are zero at the start and at both ends."""

from __future__ import annotations

import torch

from plexus.experts.stencils import derivative

Tensor = torch.Tensor


class Line:
    """Points and times, with derivatives of fields that vanish at time 0 and at the ends of the line.

    Parameters
    ----------
    x, t
        Places (nx,) and times (nt,), above zero.
    ends
        Where fields vanish.
    """

    def __init__(self, x: Tensor, t: Tensor, ends: tuple[float, float]):
        self.x, self.t = x, t
        self.dt = derivative(torch.cat([t.new_zeros(1), t]), 1)[1:, 1:].T.contiguous()
        self.nodes = torch.cat([x.new_tensor(ends[:1]), x, x.new_tensor(ends[1:])])
        self.dxx = derivative(self.nodes, 2)[1:-1, 1:-1].T.contiguous()

    def q(self, v: Tensor) -> Tensor:
        """Return value, v_t and v_xx, (M, 3, ..., nt, nx), of fields (M, ..., nt, nx)."""
        return torch.stack([v, (v.mT @ self.dt).mT, v @ self.dxx], 1)
