"""The authors' local closure: five tensor-basis coefficients of S:T from three invariants by a network.

    S:T = (a_0 + 2 ζ b_0) I + (a_1 + 2 ζ b_1) D + a_2 E,   (a_0, b_0, a_1, b_1, a_2) = network(D:D, E:E, D:E)

Five hidden layers of 50 neurons with sine activation, 10,655 parameters. Rotations and reflections are
exact; ζ enters only through the fixed split, which lets one network serve several ζ. The result need not be
realizable: in a run it is projected to the nearest S:T of a non-negative distribution, and its trace is set
to D:T.

Source: S. Maddu, S. Weady, M. J. Shelley, Learning fast, accurate, and stable closures of a kinetic theory
of an active fluid, J. Comput. Phys. 504 (2024) 112869, doi:10.1016/j.jcp.2024.112869.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from plexus.closures._stress import StressClosure, StressParams
from plexus.deck.params import Field
from plexus.registry import register

if TYPE_CHECKING:
    import torch

EXAMPLE: dict[str, Any] = {"type": "tensor_basis", "width": 20, "depth": 2}


class TensorBasisParams(StressParams):
    """Parameters of the tensor-basis network; a checkpoint brings its own architecture."""

    width: int = Field(50, ge=1, le=512, description="neurons per hidden layer")
    depth: int = Field(5, ge=1, le=12, description="hidden layers")
    activation: Literal["tanh", "sine", "silu", "gelu"] = Field("sine", description="activation function")


@register("closure", "tensor_basis", TensorBasisParams)
class TensorBasis(StressClosure):
    """S:T from three invariants, point by point."""

    def chosen(self) -> dict[str, Any]:
        """Return width, depth and activation."""
        return {"width": self.params.width, "depth": self.params.depth, "activation": self.params.activation}

    def make(self) -> torch.nn.Module:
        """Return the network 3 -> width x depth -> 5."""
        from plexus.nets.dense import Dense

        h = self.hyper
        return Dense([3, *[h["width"]] * h["depth"], 5], h["activation"], self.params.seed)
