"""What a loss sees in one step: this rank's share of some samples, or of loose points of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from plexus.learning.samples import Named

Tensor = torch.Tensor


@dataclass(frozen=True)
class Batch:
    """Some samples, and the part that answers.

    Attributes
    ----------
    part : the learned part (`plexus.protocols.Trainable`).
    space : grid of the samples, None for loose points.
    inputs, targets : named tensors (B, ...) of this rank.
    place : where this rank keeps the sample of each row, (B,).
    size : number of rows on all ranks.
    """

    part: Any
    space: Any
    inputs: Named
    targets: Named
    place: Tensor
    size: int

    def errors(self) -> Named:
        """Return answer - target by port."""
        given = self.part.raw(self.inputs)
        return {name: given[name] - self.targets[name] for name in self.targets}
