"""Sparse pattern in torch; see `plexus_kernels.reference.pattern` for the meaning."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plexus_kernels.torch_impl.tensors import tensor


def pattern(cell_nodes: Any, n_rows: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return row_ptr (n_rows+1,) int64, cols int32 and slots (C, n, n) int32 as the reference does."""
    nodes = tensor(cell_nodes).long()
    C, n = nodes.shape
    rows, cols = nodes[:, :, None].expand(C, n, n).reshape(-1), nodes[:, None, :].expand(C, n, n).reshape(-1)
    kept = rows < n_rows
    width = int(nodes.max()) + 1 if len(nodes) else 1
    # sorted by row, then column, because the key is row·width + column
    pairs, place = torch.unique(rows[kept] * width + cols[kept], return_inverse=True)
    slots = torch.full_like(rows, -1, dtype=torch.int32)
    slots[kept] = place.int()
    first = torch.arange(n_rows + 1, device=nodes.device) * width
    return torch.searchsorted(pairs, first), (pairs % width).int(), slots.reshape(C, n, n)
