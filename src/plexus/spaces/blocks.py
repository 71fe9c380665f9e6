"""Several unknowns as slices of one array: X = (x_1, ..., x_m), the last axis divided by their sizes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch


class Blocks:
    """Names and sizes of the slices; batch axes lead.

    >>> blocks = Blocks({"a": 1, "b": 2})
    >>> blocks.split(torch.tensor([1.0, 2.0, 3.0]))["b"]
    tensor([2., 3.])
    """

    def __init__(self, sizes: Mapping[str, int]):
        self.sizes = dict(sizes)
        self.total, self.longest = sum(sizes.values()), max(sizes.values())

    def split(self, joined: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the slices (..., size) of an array (..., n), in the same memory."""
        parts = joined.split(tuple(self.sizes.values()), dim=-1)
        return dict(zip(self.sizes, parts, strict=True))

    def join(self, values: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Return the array (..., n) of the slices."""
        if len(self.sizes) == 1:
            return values[next(iter(self.sizes))]
        return torch.cat([values[name] for name in self.sizes], dim=-1)

    def place(self, column: int) -> tuple[str, int]:
        """Return the slice that holds a column of the whole, and the number of the value in it."""
        for name, size in self.sizes.items():
            if column < size:
                return name, column
            column -= size
        raise IndexError(column)

    def each(self, numbers: Mapping[str, float], like: torch.Tensor) -> torch.Tensor:
        """Return one number per slice as an array (n,) of the kind of ``like``."""
        filled: list[Any] = [like.new_full((size,), numbers[name]) for name, size in self.sizes.items()]
        return torch.cat(filled)
