"""What losses of batches share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import torch

    from plexus.learning.batch import Batch
    from plexus.learning.session import Session


class LossBase:
    """A loss that is a weighted sum of squares.

    A member gives `rows` alone, or `part` too where the sum can be had more cheaply.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"targets"})
    fields: ClassVar[bool] = False
    exact: bool = True

    def __init__(self, params: Any):
        self.params = params

    @staticmethod
    def leads(params: Any) -> tuple[int, ...]:
        """Return no lengths of roll-outs."""
        return ()

    def start(self, session: Session, chosen: torch.Tensor) -> None:
        """Do nothing: errors are divided by nothing."""

    def part(self, batch: Batch) -> torch.Tensor:
        """Return the sum of the squares of `rows`."""
        return self.rows(batch).square().sum()

    def rows(self, batch: Batch) -> torch.Tensor:
        """Return this rank's residuals (n,)."""
        raise NotImplementedError
