"""NumPy arrays and tables as tensors on the device of the caller's data."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from plexus_kernels.tables import Tables

TABLES = ("weights", "phi", "dphi", "geo_phi", "geo_dphi")


def tensor(array: Any, like: Tensor | None = None) -> Tensor:
    """Return ``array`` as a tensor without a copy, moved to the device of ``like`` if that differs."""
    return torch.as_tensor(array, device=None if like is None else like.device)


def tables(T: Tables, like: Tensor) -> dict[str, Tensor]:
    """Return the tables as tensors on the device of ``like``; kept in ``T`` after the first call."""
    # on the instance, so that the copies live exactly as long as the tables
    kept = T.__dict__.setdefault("_tensors", {})
    if like.device not in kept:
        kept[like.device] = {k: torch.tensor(getattr(T, k), device=like.device) for k in TABLES}
    return kept[like.device]


def repeated(c: Any, like: Tensor) -> Tensor:
    """Return a coefficient (C|1, Q|1, ...) as a view that is expanded to the cells and points of ``like``."""
    c = tensor(c, like)
    return c.expand(*like.shape, *c.shape[2:])
