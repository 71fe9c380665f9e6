"""Σ_i a_i x_i of modes times a real array: compiled C where that fits, torch elsewhere.

Compiled code serves double precision on one thread without gradients: one pass through memory instead of one
per term.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import torch

from plexus_kernels.native import combine as compiled
from plexus_kernels.native.loader import usable

SMALL = 1 << 20
"""Numbers of an array above which several threads beat one compiled pass."""


def combine4(table: torch.Tensor, modes: Sequence[torch.Tensor], factors: Sequence[float]) -> torch.Tensor:
    """Return table Σ factor·modes of four complex tensors of one shape, which ``table`` broadcasts to."""
    if (
        _fits(table, torch.float64, table)
        and all(_fits(u, torch.complex128, table) for u in modes)
        and _ready()
    ):
        modes = [u.resolve_conj().contiguous() for u in modes]
        table, out = table.contiguous(), torch.empty_like(modes[0])
        compiled.combine4(
            out.numel(), [u.data_ptr() for u in modes], factors, table.data_ptr(), out.data_ptr()
        )
        return out
    # one temporary: each further term costs one pass through memory
    total = modes[0].mul(factors[0])
    for u, a in zip(modes[1:], factors[1:], strict=True):
        total.add_(u, alpha=a)
    return total.mul(table)


def _fits(u: torch.Tensor, dtype: torch.dtype, table: torch.Tensor) -> bool:
    return (
        u.device.type == "cpu"
        and u.dtype == dtype
        and u.shape == table.shape
        and not (torch.is_grad_enabled() and u.requires_grad)
        and (u.numel() < SMALL or torch.get_num_threads() == 1)
    )


@cache
def _ready() -> bool:
    """Return whether the function can be compiled here; warn once if not."""
    return usable(compiled.prepare, "compiled sums are not usable, torch takes over")
