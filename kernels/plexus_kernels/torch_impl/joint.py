"""Element matrices of coupled points in torch; see `plexus_kernels.reference.joint` for the meaning."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plexus_kernels.torch_impl.tensors import tensor


def joint(b: Any, weight: Any, slots: Any, values: Any) -> Tensor:
    """Add the element matrices to ``values`` in place and return it; parameters as in the reference."""
    values = tensor(values)
    b, weight, slots = tensor(b, values), tensor(weight, values), tensor(slots, values).long()
    A = torch.einsum("ciak,ckl,cjbl->cijab", b, weight, b)
    kept = slots >= 0
    return values.index_add_(0, slots[kept], A[kept])
