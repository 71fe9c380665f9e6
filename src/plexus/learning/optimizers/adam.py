"""Adam: steps along running means of the gradient, over the root of running means of its square.

    m ← β₁ m + (1-β₁) g,   v ← β₂ v + (1-β₂) g²,   x ← x - r m̂ / (√v̂ + ε),   β₁ = 0.9, β₂ = 0.999

Source: D. Kingma, J. Ba, ICLR 2015, doi:10.48550/arXiv.1412.6980; ε is 1e-12, for losses of roll-outs have
small gradients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plexus.learning.optimizers._rates import FirstOrder, RateParams
from plexus.registry import register

if TYPE_CHECKING:
    import torch

EXAMPLE: dict[str, Any] = {"type": "adam", "rate": 0.003}
EPSILON = 1e-12


class AdamParams(RateParams):
    """Parameters of `Adam`."""


@register("optimizer", "adam", AdamParams)
class Adam(FirstOrder):
    """Adam with a rate that a schedule changes."""

    def method(self) -> torch.optim.Optimizer:
        """Return torch's Adam."""
        import torch

        return torch.optim.Adam(self.variables, eps=EPSILON)
