"""Map from the reference element in torch; see `plexus_kernels.reference.geometry` for the meaning."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plexus_kernels.tables import Tables
from plexus_kernels.torch_impl.tensors import tables, tensor


def geometry(points: Any, cells: Any, T: Tables) -> tuple[Tensor, Tensor, Tensor]:
    """Return x (C, Q, d), jxw (C, Q) and grad_map (C, Q, d, d), an expanded view on affine cells."""
    points = tensor(points)
    t = tables(T, points)
    X = points[tensor(cells, points).long()]
    x = torch.einsum("qa,cai->cqi", t["geo_phi"], X)
    # Affine cells: one Jacobian stands for all points.
    J = torch.einsum("cai,qak->cqik", X, t["geo_dphi"][:1] if T.affine else t["geo_dphi"])
    # the weights bring the axis of points back
    jxw = t["weights"] * torch.linalg.det(J).abs()
    return x, jxw, torch.linalg.inv(J).expand(-1, len(T.weights), -1, -1)
