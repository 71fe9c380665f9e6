"""What optimisers share: the variables, as tensors and as one vector, and what is told of the latest step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from plexus.errors import InputError

if TYPE_CHECKING:
    import torch

    from plexus.learning.team import Team


class OptimizerBase:
    """An optimiser without memory."""

    needs: ClassVar[frozenset[str]] = frozenset()
    whole: ClassVar[bool] = False

    def __init__(self, params: Any):
        self.params = params
        self.rate = self.gradient = 0.0
        self.settled = False

    def start(self, variables: Mapping[str, torch.Tensor], team: Team) -> None:
        """Take the tensors that are changed in place, by name."""
        self.names, self.variables, self.team = list(variables), list(variables.values()), team

    def need_dense(self, most: int, method: str) -> None:
        """Refuse more variables than a dense matrix is made for.

        Raises
        ------
        InputError
            If there are more than ``most``.
        """
        count = sum(v.numel() for v in self.variables)
        if count > most:
            raise InputError(f"optimizer: {count} variables are too many for {method} ({most}); use lbfgs")

    def values(self) -> torch.Tensor:
        """Return all variables as one vector, in double precision."""
        import torch

        return torch.cat([v.detach().double().flatten() for v in self.variables]).cpu()

    def put(self, values: torch.Tensor) -> None:
        """Change the variables to those of a vector."""
        import torch

        with torch.no_grad():
            for variable, part in zip(self.variables, self.split(values), strict=True):
                variable.copy_(part.reshape(variable.shape))

    def split(self, values: torch.Tensor) -> Sequence[torch.Tensor]:
        """Return the parts of a vector that belong to each variable."""
        return values.split([v.numel() for v in self.variables])

    def memory(self) -> dict[str, torch.Tensor]:
        """Return nothing."""
        return {}

    def restore(self, memory: Mapping[str, torch.Tensor]) -> None:
        """Accept an empty memory."""
