"""How large targets are, by sample and in the mean: what errors are divided by."""

from __future__ import annotations

import torch

from plexus.learning.samples import Samples
from plexus.learning.squares import by_row, squares
from plexus.learning.team import Team

Tensor = torch.Tensor


def sizes(samples: Samples) -> Tensor:
    """Return the mean square of each own sample's targets, (S,)."""
    if not len(samples):
        return torch.zeros(0, dtype=torch.float64)
    return by_row(squares(samples.targets))


def mean_size(team: Team, samples: Samples, chosen: Tensor) -> float:
    """Return the mean square of the targets over the chosen samples of all ranks. Collective."""
    return float(team.sum(sizes(samples)[samples.places(chosen)].sum())) / max(len(chosen), 1)
