"""Element vectors in torch; see `plexus_kernels.reference.vector` for the meaning."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plexus_kernels.tables import Tables
from plexus_kernels.torch_impl.geometry import geometry
from plexus_kernels.torch_impl.tensors import repeated, tables, tensor


def vector(
    points: Any, cells: Any, T: Tables, cell_nodes: Any, f0: Any, f1: Any, weight: Any, out: Any
) -> Tensor:
    """Add ∫ f0·v + f1:∇v to ``out`` (N, m) in place and return it; shapes as in the reference."""
    out = tensor(out)
    nodes = tensor(cell_nodes, out).long()
    t = tables(T, out)
    _, w, B = geometry(tensor(points, out), cells, T)
    if weight is not None:
        w = w * tensor(weight, out)
    r = out.new_zeros((*nodes.shape, out.shape[1]))
    # out of place until the last line, so that autograd sees every factor
    if f0 is not None:
        r = r + torch.einsum("qi,cqa->cia", t["phi"], w[..., None] * repeated(f0, w))
    if f1 is not None:
        # f1 pulled back to the reference element: W B f1, so that ∇φ never appears.
        pulled = w[..., None, None] * repeated(f1, w) @ B.transpose(-1, -2)
        r = r + torch.einsum("qik,cqak->cia", t["dphi"], pulled)
    return out.index_add_(0, nodes.reshape(-1), r.reshape(-1, out.shape[1]))
