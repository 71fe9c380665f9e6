"""Adam with a rate that falls along a cosine, on all ranks alike, with a memory that can be stored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch

from plexus.learning.team import Team

Tensor = torch.Tensor
EPSILON = 1e-12
"""Added to the root of Adam's second moment; losses of roll-outs have small gradients."""


def rate_at(step: int, steps: int, first: float, last: float) -> float:
    """Return the learning rate of one step."""
    share = step / max(steps - 1, 1)
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2


class Descent:
    """The optimiser of some variables.

    Parameters
    ----------
    variables:
        Tensors that are changed in place, by name.
    clip:
        Largest norm of a gradient; a longer one is shortened.
    """

    def __init__(self, team: Team, variables: Mapping[str, Tensor], clip: float = math.inf):
        self.team, self.names, self.variables = team, list(variables), list(variables.values())
        self.clip = clip
        self.adam = torch.optim.Adam(self.variables, eps=EPSILON)

    def step(self, loss: Tensor, rate: float) -> float:
        """Take one step down the loss summed over ranks and return it. Collective."""
        total = self.team.descend(loss, self.variables)
        if math.isfinite(self.clip):
            torch.nn.utils.clip_grad_norm_(self.variables, self.clip)
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        return total

    def memory(self) -> dict[str, Tensor]:
        """Return what Adam remembers, by name."""
        found = {}
        for name, variable in zip(self.names, self.variables, strict=True):
            for key, value in self.adam.state.get(variable, {}).items():
                found[f"adam/{key}/{name}"] = value.detach().clone()
        return found

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Continue from `memory`; empty for a fresh start."""
        for name, variable in zip(self.names, self.variables, strict=True):
            state = {k.split("/")[1]: v for k, v in memory.items() if k.split("/", 2)[2:] == [name]}
            if state:
                self.adam.state[variable] = {
                    key: value.clone() if key == "step" else value.to(variable)
                    for key, value in state.items()
                }


def draw(seed: Sequence[int]) -> torch.Generator:
    """Return random numbers that depend on a few whole numbers alone, so that a restart repeats them."""
    mixed = 0
    for part in seed:
        # a linear congruence keeps (1, 2) and (2, 1) apart
        mixed = (mixed * 6364136223846793005 + int(part) + 1442695040888963407) % 2**63
    return torch.Generator().manual_seed(mixed)
