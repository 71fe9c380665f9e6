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
        ctx.mesh, ctx.jxw, ctx.shape = (points.numpy(), cells.numpy(), T, nodes.numpy()), jxw, u.shape
        ctx.set_materialize_grads(False)
        value, grad = backend().sample(*ctx.mesh, np.ascontiguousarray(u.detach().numpy()))
        return torch.from_numpy(value), torch.from_numpy(grad)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, g0: Tensor | None, g1: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the gradient at the nodes."""
        out = np.zeros(ctx.shape)
        f0, f1 = (None if g is None else g.numpy() for g in (g0, g1))
        if f0 is not None or f1 is not None:
            backend().vector(*ctx.mesh, f0, f1, 1.0 / ctx.jxw.numpy(), out)
        return torch.from_numpy(out), None, None, None, None, None
