"""First-order methods of torch: one gradient per step, and a learning rate that a schedule changes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from plexus import registry
from plexus.deck.params import Component, Field, Params
from plexus.learning.optimizers.base import OptimizerBase

if TYPE_CHECKING:
    import torch

    from plexus.learning.objective import Objective
    from plexus.learning.team import Team


class RateParams(Params):
    """Parameters of first-order methods."""

    rate: float = Field(0.01, gt=0, description="learning rate at the start")
    final_rate: float = Field(1e-5, gt=0, description="learning rate at the end")
    schedule: Annotated[Any, Component("schedule")] = Field(
        "cosine", description="how the rate goes from the one to the other"
    )
    clip: float | None = Field(
        None, gt=0, description="largest norm of a gradient; a longer one is shortened; none: all are taken"
    )


class FirstOrder(OptimizerBase):
    """A method of torch that takes one gradient per step; a member names it in `method`."""

    def start(self, variables: Mapping[str, torch.Tensor], team: Team) -> None:
        """Take the variables and make the method."""
        super().start(variables, team)
        self.schedule = registry.build("schedule", self.params.schedule)
        self.torch = self.method()

    def method(self) -> torch.optim.Optimizer:
        """Return torch's optimiser of `variables`."""
        raise NotImplementedError

    def step(self, objective: Objective, step: int, steps: int) -> float:
        """Take one step down the loss summed over ranks and return it. Collective."""
        import torch

        p = self.params
        loss = self.team.descend(objective.part(step), self.variables)
        self.gradient = float(torch.nn.utils.clip_grad_norm_(self.variables, p.clip or math.inf))
        self.rate = self.schedule.rate(step / max(steps - 1, 1), p.rate, p.final_rate)
        for group in self.torch.param_groups:
            group["lr"] = self.rate
        self.torch.step()
        return loss

    def memory(self) -> dict[str, torch.Tensor]:
        """Return what the method remembers of each variable."""
        found = {}
        for name, variable in zip(self.names, self.variables, strict=True):
            for key, value in self.torch.state.get(variable, {}).items():
                found[f"{key}/{name}"] = value.detach().clone()
        return found

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Continue from `memory`."""
        for name, variable in zip(self.names, self.variables, strict=True):
            state = {k.split("/")[0]: v for k, v in memory.items() if k.split("/", 1)[1:] == [name]}
            if state:
                self.torch.state[variable] = {
                    key: value.clone() if key == "step" else value.to(variable)
                    for key, value in state.items()
                }
