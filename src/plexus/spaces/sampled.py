"""Nodal tensors at points, differentiable, by the kernels for arrays in host memory.

Sampling is linear in the nodal values u; its transposed takes gradients g0 of the values and g1 of the slopes
to the nodes,

    r_i = Σ_q (φ_i g0 + ∇φ_i·g1),

which is an element vector without the weights of integration. Both are single passes over the cells, where
operations of torch would take one pass and one temporary each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from plexus_kernels import Tables, backend

Tensor = torch.Tensor


class Sampled(torch.autograd.Function):
    """Value (C, Q, m) and gradient (C, Q, m, d) of nodal values (N, m) on the cells of a mesh."""

    @staticmethod
    def forward(
        ctx: Any, u: Tensor, points: Tensor, cells: Tensor, T: Tables, nodes: Tensor, jxw: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return both; ``jxw`` (C, Q) are the weights that `plexus_kernels` integrates with."""
        ctx.where, ctx.n = (points, cells, T, nodes, jxw), len(u)
        ctx.set_materialize_grads(False)
        here = points.numpy(), cells.numpy(), T, nodes.numpy()
        value, grad = backend().sample(*here, np.ascontiguousarray(u.detach().numpy()))
        return torch.from_numpy(value), torch.from_numpy(grad)

    @staticmethod
    def backward(ctx: Any, g0: Tensor | None, g1: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the gradient at the nodes."""
        known = g0 is not None or g1 is not None
        return _Collected.apply(g0, g1, ctx.n, *ctx.where) if known else None, *(None,) * 5


class _Collected(torch.autograd.Function):
    """g0 and g1 -> r (N, m); its transposed samples."""

    @staticmethod
    def forward(ctx: Any, g0: Tensor | None, g1: Tensor | None, n: int, *where: Any) -> Tensor:
        ctx.where, ctx.given = where, (g0 is not None, g1 is not None)
        points, cells, T, nodes, jxw = where
        f0, f1 = (None if g is None else g.detach().numpy() for g in (g0, g1))
        m = next(f.shape[2] for f in (f0, f1) if f is not None)
        here = points.numpy(), cells.numpy(), T, nodes.numpy()
        return torch.from_numpy(backend().vector(*here, f0, f1, 1.0 / jxw.numpy(), np.zeros((n, m))))

    @staticmethod
    def backward(ctx: Any, r: Tensor) -> tuple[Tensor | None, ...]:
        both = Sampled.apply(r, *ctx.where)
        return *(a if given else None for a, given in zip(both, ctx.given, strict=True)), *(None,) * 6
