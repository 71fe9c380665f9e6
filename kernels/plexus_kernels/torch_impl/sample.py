"""A finite element field at the points in torch; see `plexus_kernels.reference.sample`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plexus_kernels.tables import Tables
from plexus_kernels.torch_impl.geometry import geometry
from plexus_kernels.torch_impl.tensors import tables, tensor


def sample(
    points: Any, cells: Any, T: Tables, cell_nodes: Any, u: Any, grad_map: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return value (C, Q, m) and gradient (C, Q, m, d) of the nodal field ``u`` (N, m).

    ``grad_map`` (C, Q, d, d) is what `geometry` gives, where the caller has it already.
    """
    u = tensor(u)
    t = tables(T, u)
    U = u[tensor(cell_nodes, u).long()]
    B = geometry(tensor(points, u), cells, T)[2] if grad_map is None else grad_map
    value = torch.einsum("qi,cia->cqa", t["phi"], U)
    # reference gradient first, one factor B per point afterwards
    grad = torch.einsum("qik,cia->cqak", t["dphi"], U) @ B
    return value, grad
