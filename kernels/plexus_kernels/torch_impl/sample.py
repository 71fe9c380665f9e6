"""A finite element field at the points in torch; see `plexus_kernels.reference.sample`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plexus_kernels.tables import Tables
from plexus_kernels.torch_impl.geometry import geometry
from plexus_kernels.torch_impl.tensors import tables, tensor


def sample(points: Any, cells: Any, T: Tables, cell_nodes: Any, u: Any) -> tuple[Tensor, Tensor]:
    """Return value (C, Q, m) and gradient (C, Q, m, d) of the nodal field ``u`` (N, m)."""
    u, nodes = tensor(u), tensor(cell_nodes).long()
    t, grad_map = tables(T, u), geometry(tensor(points, u), cells, T)[2]
    # the gradient of a choice of rows is a plain sum, that of indexing with two axes is not
    nodal = u.index_select(0, nodes.ravel().to(u.device)).reshape(*nodes.shape, -1)
    # reference gradient first, one factor B per point afterwards
    slope = torch.einsum("qik,cia->cqak", t["dphi"], nodal) @ grad_map
    return torch.einsum("qi,cia->cqa", t["phi"], nodal), slope
