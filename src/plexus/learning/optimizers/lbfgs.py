"""L-BFGS: a quasi-Newton method that keeps the latest steps and changes of gradient, with a Wolfe search.

One step of the training takes up to `iterations` iterations of the method on one batch. Source: D. Liu,
J. Nocedal, Math. Program. 45 (1989) 503-528, doi:10.1007/BF01589116, as torch has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field, Params
from plexus.learning.optimizers.base import OptimizerBase
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.learning.objective import Objective
    from plexus.learning.team import Team

EXAMPLE: dict[str, Any] = {"type": "lbfgs", "iterations": 10}
CHANGE = 1e-12
"""Change of variables or loss at which torch ends an iteration."""
LISTS, TENSORS = ("old_dirs", "old_stps", "ro"), ("d", "prev_flat_grad")
"""What torch's state holds as lists of tensors, and as tensors."""
NUMBERS = {"func_evals": int, "n_iter": int, "t": float, "H_diag": float, "prev_loss": float}
"""What it holds as numbers, some of them as tensors without axes."""


class LbfgsParams(Params):
    """Parameters of `Lbfgs`."""

    iterations: int = Field(20, ge=1, description="iterations per step of the training")
    history: int = Field(100, ge=1, description="steps that are remembered")
    tolerance: float = Field(1e-6, ge=0, description="largest change of a variable at which the stage ends")


@register("optimizer", "lbfgs", LbfgsParams)
class Lbfgs(OptimizerBase):
    """Torch's L-BFGS with a strong Wolfe search."""

    whole = True

    def start(self, variables: Mapping[str, torch.Tensor], team: Team) -> None:
        """Take the variables and make the method."""
        import torch

        super().start(variables, team)
        self.torch = torch.optim.LBFGS(
            self.variables, max_iter=self.params.iterations, history_size=self.params.history,
            line_search_fn="strong_wolfe", tolerance_change=CHANGE,
        )  # fmt: skip

    def step(self, objective: Objective, step: int, steps: int) -> float:
        """Take some iterations and return the loss at the last trial. Collective."""
        import torch

        value, before = 0.0, [v.detach().clone() for v in self.variables]

        def evaluate() -> torch.Tensor:
            nonlocal value
            value = self.team.descend(objective.part(step), self.variables)
            return torch.tensor(value, dtype=torch.float64)

        self.torch.step(evaluate)
        moved = max(float((v.detach() - b).abs().max()) for v, b in zip(self.variables, before, strict=True))
        self.settled = moved < self.params.tolerance
        self.rate = float(self._state().get("t", 0.0))
        grads = [v.grad.double().norm() for v in self.variables if v.grad is not None]
        self.gradient = float(torch.stack(grads).norm()) if grads else 0.0
        return value

    def _state(self) -> dict[str, Any]:
        """Return torch's state, which it keeps under the first variable."""
        return self.torch.state[self.variables[0]]

    def memory(self) -> dict[str, torch.Tensor]:
        """Return torch's state, each entry of a list by itself."""
        import torch

        found: dict[str, torch.Tensor] = {}
        for key, value in self._state().items():
            if key in LISTS:
                found |= {f"{key}/{n}": v.clone() for n, v in enumerate(value)}
            elif key in NUMBERS or (key in TENSORS and value is not None):
                found[key] = torch.as_tensor(value).detach().clone()
        return found

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Continue from `memory`."""
        state = self._state()
        for key, make in NUMBERS.items():
            if key in memory:
                state[key] = make(memory[key])
        for key in TENSORS:
            if key in memory:
                state[key] = memory[key].clone()
        for key in LISTS if "d" in memory else ():
            count = sum(name.startswith(f"{key}/") for name in memory)
            state[key] = [memory[f"{key}/{n}"].clone() for n in range(count)]
