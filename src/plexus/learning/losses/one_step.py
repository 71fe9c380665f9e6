"""What one step along the part's direction leaves of a residual, with the best length of the step.

    L = 1/B Σ_b ‖b - (b·q / q·A q) A q‖²,   ‖b‖ = 1,   q the part's answer to b

The length makes the size of q irrelevant; no answer needs to be known. A. Kaneda et al., ICML (2023),
doi:10.48550/arXiv.2205.10763.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Params
from plexus.learning.losses.base import LossBase
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.learning.batch import Batch
    from plexus.learning.session import Session

EXAMPLE: dict[str, Any] = {"type": "one_step"}
TINY = 1e-30
"""What keeps a direction of zeros from being divided by nothing."""


class OneStepParams(Params):
    """Parameters of `OneStep`: none."""


@register("loss", "one_step", OneStepParams)
class OneStep(LossBase):
    """L of the module's head."""

    needs = frozenset({"operator"})
    fields = True

    def start(self, session: Session, chosen: torch.Tensor) -> None:
        """Take the matrix of the data."""
        (b,) = session.samples.inputs.values()
        self.operator = session.data.operator.on(b)

    def rows(self, batch: Batch) -> torch.Tensor:
        """Return what is left, over the root of the number of rows."""
        b = batch.inputs["residual"]
        (q,) = batch.part.raw(batch.inputs).values()
        q = q * self.operator.inside
        w = self.operator.product(q)
        energy = (q * w).sum((-3, -2, -1), keepdim=True)
        length = (q * b).sum((-3, -2, -1), keepdim=True) / (energy + TINY)
        return ((b - length * w) / batch.size**0.5).flatten()
