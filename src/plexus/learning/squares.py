"""Sums of squares of named tensors, real or complex."""

from __future__ import annotations

from collections.abc import Mapping

import torch

Tensor = torch.Tensor


def squares(error: Mapping[str, Tensor] | Tensor) -> Tensor:
    """Return |error|², summed over named fields where there are several."""
    if isinstance(error, Tensor):
        return (error * error.conj()).real if error.is_complex() else error * error
    return sum((squares(e) for e in error.values()), start=torch.zeros(()))


def real(error: Tensor) -> Tensor:
    """Return real numbers (B, n) whose squares add up to |error|² of each of B rows."""
    flat = error.reshape(len(error), -1)
    return torch.view_as_real(flat).flatten(1) if flat.is_complex() else flat


def by_row(values: Tensor) -> Tensor:
    """Return the mean over all axes but the first."""
    return values.flatten(1).mean(1) if values.dim() > 1 else values
