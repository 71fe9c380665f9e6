"""Values of a finite element field in torch; see `plexus_kernels.reference.interpolate`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plexus_kernels.tables import Tables
from plexus_kernels.torch_impl.tensors import tables, tensor


def interpolate(T: Tables, cell_nodes: Any, u: Any) -> Tensor:
    """Return the value (C, Q, m) of the nodal field ``u`` (N, m)."""
    u, nodes = tensor(u), tensor(cell_nodes).long()
    # the gradient of a choice of rows is a plain sum, that of indexing with two axes is not
    nodal = u.index_select(0, nodes.ravel().to(u.device)).reshape(*nodes.shape, -1)
    return torch.einsum("qi,cia->cqa", tables(T, u)["phi"], nodal)
