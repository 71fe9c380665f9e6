"""AdamW: Adam whose weights decay beside the step, x ← (1 - r w) x, and not through the gradient.

Source: I. Loshchilov, F. Hutter, ICLR 2019, doi:10.48550/arXiv.1711.05101.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.deck.params import Field
from plexus.learning.optimizers._rates import FirstOrder, RateParams
from plexus.learning.optimizers.adam import EPSILON
from plexus.registry import register

if TYPE_CHECKING:
    import torch

EXAMPLE: dict[str, Any] = {"type": "adamw", "rate": 0.003, "decay": 1e-4}


class AdamWParams(RateParams):
    """Parameters of `AdamW`."""

    decay: float = Field(0.01, ge=0, description="decay w of the weights, per step and unit of the rate")


@register("optimizer", "adamw", AdamWParams)
class AdamW(FirstOrder):
    """Adam with decoupled decay."""

    def method(self) -> torch.optim.Optimizer:
        """Return torch's AdamW."""
        import torch

        return torch.optim.AdamW(self.variables, eps=EPSILON, weight_decay=self.params.decay)
