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
    u = tensor(u)
    grad_map = geometry(tensor(points, u), cells, T)[2]
    return value(T, cell_nodes, u), slope(T, cell_nodes, u, grad_map)


def value(T: Tables, cell_nodes: Any, u: Tensor) -> Tensor:
    """Return the value alone."""
    return torch.einsum("qi,cia->cqa", tables(T, u)["phi"], _gathered(cell_nodes, u))


def slope(T: Tables, cell_nodes: Any, u: Tensor, grad_map: Tensor) -> Tensor:
    """Return the gradient alone; ``grad_map`` (C, Q, d, d) is what `geometry` gives."""
    # reference gradient first, one factor B per point afterwards
    return torch.einsum("qik,cia->cqak", tables(T, u)["dphi"], _gathered(cell_nodes, u)) @ grad_map


def _gathered(cell_nodes: Any, u: Tensor) -> Tensor:
    """Return the nodal values of each cell, (C, n, m)."""
    nodes = tensor(cell_nodes, u).long()
    # its gradient is a plain sum of rows, that of indexing with two axes is not
    return u.index_select(0, nodes.ravel()).reshape(*nodes.shape, -1)
