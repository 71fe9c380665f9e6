"""Fully connected networks on columns of points.

    x_(l+1) = a(W_l x_l + b_l),   the last layer without a

Features lie along axis 0 and points along the rest, so that a field of any shape is one matrix product per
layer without a transpose. Weights come from one seeded generator on the CPU: the same on every machine and
device.

The last layer may start at zero; what is built on such a network then starts as its classical part alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sine": torch.sin,
    "silu": nn.functional.silu,
    "gelu": nn.functional.gelu,
}


BLOCK = 2048
"""Points that go through all layers together on a CPU: what lies between two layers stays in its cache."""


class Dense(nn.Module):
    """A multi-layer perceptron.

    Parameters
    ----------
    sizes:
        Number of features of each layer, input and output included.
    activation:
        One of `ACTIVATIONS`.
    seed:
        Seed of the start weights (Xavier, uniform).
    zero_last:
        Whether the last layer starts at zero.
    """

    def __init__(
        self, sizes: Sequence[int], activation: str = "tanh", seed: int = 0, zero_last: bool = False
    ):
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        generator = torch.Generator().manual_seed(seed)
        pairs = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(nn.Parameter(_xavier(n, m, generator)) for n, m in pairs)
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(m, 1)) for m in sizes[1:])
        if zero_last:
            nn.init.zeros_(self.weights[-1])

    def forward(self, x: Tensor) -> Tensor:
        """Return (outputs, ...) of features (inputs, ...)."""
        points = x.reshape(x.shape[0], -1)
        learns = torch.is_grad_enabled() and (x.requires_grad or self.weights[0].requires_grad)
        if x.device.type == "cpu" and points.shape[1] > BLOCK and not learns:
            y = torch.cat([self._layers(part) for part in points.split(BLOCK, 1)], 1)
        else:
            y = self._layers(points)
        return y.reshape(y.shape[0], *x.shape[1:])

    def _layers(self, x: Tensor) -> Tensor:
        """Return (outputs, points) of features (inputs, points)."""
        # hidden layers have points first, where the product with few inputs is fastest; both ends are views
        y = x.t()
        *hidden, (weight, bias) = zip(self.weights, self.biases, strict=True)
        for w, b in hidden:
            y = self.activation(nn.functional.linear(y, w, b[:, 0]))
        return torch.addmm(bias, weight, y.t())


def _xavier(inputs: int, outputs: int, generator: torch.Generator) -> Tensor:
    """Return weights (outputs, inputs), uniform with variance 2/(inputs + outputs)."""
    bound = math.sqrt(6 / (inputs + outputs))
    return (2 * torch.rand(outputs, inputs, generator=generator, dtype=torch.float64) - 1).float() * bound
