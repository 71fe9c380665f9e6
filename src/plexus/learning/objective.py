"""What an optimiser makes small: a sum over ranks, of a batch that is drawn anew in each step."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch

Tensor = torch.Tensor


class Objective(ABC):
    """A loss of some variables; every evaluation of one step takes the same batch."""

    @abstractmethod
    def part(self, step: int) -> Tensor:
        """Return this rank's part of the loss of a step, 0-d; one without graph adds nothing."""

    def rows(self, step: int) -> Tensor:
        """Return this rank's residuals (n,), whose squares add up to `part`.

        Raises
        ------
        NotImplementedError
            For a loss that is no sum of squares.
        """
        raise NotImplementedError
