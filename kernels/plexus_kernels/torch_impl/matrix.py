"""Element matrices in torch; see `plexus_kernels.reference.matrix` for the meaning."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plexus_kernels.tables import Tables
from plexus_kernels.torch_impl.geometry import geometry
from plexus_kernels.torch_impl.tensors import repeated, tables, tensor


def matrix(
    points: Any, cells: Any, T: Tables, c00: Any, c01: Any, c10: Any, c11: Any, weight: Any, slots: Any,
    values: Any, symmetric: bool = False,
) -> Tensor:  # fmt: skip
    """Add the element matrices to ``values`` in place and return it; parameters as in the reference."""
    values = tensor(values)
    slots = tensor(slots, values).long()
    t = tables(T, values)
    _, w, B = geometry(tensor(points, values), cells, T)
    if weight is not None:
        w = w * tensor(weight, values)
    dphi = torch.einsum("qik,cqkj->cqij", t["dphi"], B)
    A = values.new_zeros((*slots.shape, *values.shape[1:]))
    # intermediate index order: test component, [direction,] trial node, trial component
    # φ_i c00 φ_j
    if c00 is not None:
        A = A + torch.einsum("qi,cqab,qj->cijab", t["phi"], _weighted(c00, w), t["phi"])
    # φ_i (c01·∇φ_j)
    if c01 is not None:
        right = torch.einsum("cqabl,cqjl->cqajb", _weighted(c01, w), dphi)
        A = A + torch.einsum("qi,cqajb->cijab", t["phi"], right)
    # (∇φ_i·c10) φ_j
    if c10 is not None:
        left = torch.einsum("cqik,cqakb->cqiab", dphi, _weighted(c10, w))
        A = A + torch.einsum("cqiab,qj->cijab", left, t["phi"])
    # ∇φ_i·(c11·∇φ_j)
    if c11 is not None:
        right = torch.einsum("cqakbl,cqjl->cqakjb", _weighted(c11, w), dphi)
        A = A + torch.einsum("cqik,cqakjb->cijab", dphi, right)
    kept = slots >= 0
    return values.index_add_(0, slots[kept], A[kept])


def _weighted(c: Any, w: Tensor) -> Tensor:
    """Return the coefficient times the integration weight, (C, Q, ...)."""
    c = repeated(c, w)
    return c * w.reshape(*w.shape, *(1,) * (c.ndim - 2))
