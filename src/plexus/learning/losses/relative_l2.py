"""Mean square error of the answers, relative to the mean square of what they should be.

    L = 1/B Σ_b ⟨|answer_b - target_b|²⟩ / w_b,   w_b = ⟨|target|²⟩ over all samples, or, balanced,
                                                  w_b = ⟨|target_b|²⟩ + 0.01 ⟨|target|²⟩ of the own sample

⟨⟩ is the mean over the points of a sample, and squares of several ports add up. Without balance samples of
little size count little; with it all count alike down to a tenth of the usual size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field, Params
from plexus.learning.losses.base import LossBase
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.learning.batch import Batch
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "relative_l2"}
FLOOR = 0.01
"""Share of the mean square below which a sample's own no longer counts."""


class RelativeL2Params(Params):
    """Parameters of `RelativeL2`."""

    balance: bool = Field(False, description="weigh each sample's error by the sample's own mean square")


@register("loss", "relative_l2", RelativeL2Params)
class RelativeL2(LossBase):
    """L of the module's head."""

    def start(self, session: Session, chosen: torch.Tensor) -> None:
        """Set one over w_b of each own sample. Collective."""
        import torch

        from plexus.learning.sizes import mean_size, sizes

        mean, own = mean_size(session.team, session.samples, chosen), sizes(session.samples)
        self.weights = 1 / (own + FLOOR * mean) if self.params.balance else torch.full_like(own, 1 / mean)

    def part(self, batch: Batch) -> torch.Tensor:
        """Return this rank's part of L."""
        from plexus.learning.squares import by_row, squares

        wrong = by_row(squares(batch.errors()))
        return wrong.mul(self.weights[batch.place]).sum() / batch.size

    def rows(self, batch: Batch) -> torch.Tensor:
        """Return the errors, each times the root of its weight."""
        import torch

        from plexus.learning.squares import real

        found = []
        for error in batch.errors().values():
            cells = error[0].numel() if len(error) else 1
            weight = (self.weights[batch.place] / (batch.size * cells)).sqrt()
            found.append((real(error) * weight[:, None]).flatten())
        return torch.cat(found)
