"""Random numbers of a training: they depend on a few whole numbers alone, so that a restart repeats them."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def draw(seed: Sequence[int]) -> torch.Generator:
    """Return a generator that is fixed by some whole numbers."""
    mixed = 0
    for part in seed:
        # a linear congruence keeps (1, 2) and (2, 1) apart
        mixed = (mixed * 6364136223846793005 + int(part) + 1442695040888963407) % 2**63
    return torch.Generator().manual_seed(mixed)
