"""Choices between two numbers, pointwise, with gradients by formulas of signs.

A choice c(a, b) changes by w_a da + w_b db; where both are equally good, a half of each. Torch goes back
through choices by masks, which takes several times as long as these weights. Without gradients, and in
forward mode, the formula itself is taken.
"""

from __future__ import annotations

from typing import Any

import torch

Tensor = torch.Tensor


def minmod(a: Tensor, b: Tensor) -> Tensor:
    """Return the one of smaller size, 0 where the signs differ."""
    return _Minmod.apply(a, b) if _traced(a, b) else _minmod(a, b)


def larger(a: Tensor, b: Tensor) -> Tensor:
    """Return the larger one of two sizes, max(|a|, |b|)."""
    return _Larger.apply(a, b) if _traced(a, b) else a.abs().maximum(b.abs())


def _traced(a: Tensor, b: Tensor) -> bool:
    return torch.is_grad_enabled() and (a.requires_grad or b.requires_grad)


def _minmod(a: Tensor, b: Tensor) -> Tensor:
    return 0.5 * (a.sign() + b.sign()) * a.abs().minimum(b.abs())


class _Minmod(torch.autograd.Function):
    """w = (1 ± sign(|b| - |a|))/2, 0 where the signs differ."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        found = _minmod(a, b)
        ctx.save_for_backward(a, b, found)
        return found

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
        a, b, found = ctx.saved_tensors
        half = found.sign().abs_().mul_(0.5).mul_(g)
        lean = (b.abs() - a.abs()).sign_().mul_(half)
        return half + lean, half - lean


class _Larger(torch.autograd.Function):
    """w = sign(a) (1 + s)/2 and sign(b) (1 - s)/2 with s = sign(|a| - |b|)."""

    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return a.abs().maximum(b.abs())

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, Tensor]:
        a, b = ctx.saved_tensors
        half = 0.5 * g
        lean = (a.abs() - b.abs()).sign_().mul_(half)
        return a.sign().mul_(half + lean), b.sign().mul_(half - lean)
