"""The networks of the learned multigrid in torch, with gradients."""

from __future__ import annotations

import numpy as np
import torch

from plexus.solvers.multigrid.network import (
    EDGE,
    ENDS,
    FEATURES,
    REACH,
    SHAPES,
    SHARE,
    SPREAD,
    Network,
    fresh,
)

Tensor = torch.Tensor


class Root(torch.nn.Module):
    """x/√(1 + x²)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return it."""
        return x * torch.rsqrt(1 + x * x)


def _layers(name: str) -> torch.nn.Sequential:
    found: list[torch.nn.Module] = []
    for key, shape in SHAPES.items():
        if key.startswith(name) and key.endswith("weight"):
            found += [torch.nn.Linear(shape[1], shape[0], dtype=torch.float64), Root()]
    return torch.nn.Sequential(*found[:-1])


class Net(torch.nn.Module):
    """The networks of `plexus.solvers.multigrid.network` with gradients, and what they have seen."""

    low: Tensor
    high: Tensor

    def __init__(self, weights: Network):
        super().__init__()
        self.edge, self.level = _layers("edge"), _layers("level")
        self.register_buffer("low", torch.full((len(FEATURES),), torch.inf, dtype=torch.float64))
        self.register_buffer("high", torch.full((len(FEATURES),), -torch.inf, dtype=torch.float64))
        told = {name: torch.as_tensor(value) for name, value in weights.weights.items()}
        self.load_state_dict(told, strict=False)

    def factors(self, x: Tensor) -> Tensor:
        """Return m for features (e, 8)."""
        self._meet(x.detach(), slice(0, EDGE))
        return torch.exp(REACH * torch.tanh(self.edge(x).squeeze(1)))

    def of_levels(self, y: Tensor) -> Tensor:
        """Return g and ω (..., 5) for the features of levels (..., 4)."""
        self._meet(y.detach().reshape(-1, 4), slice(EDGE, None))
        found = torch.tanh(self.level(y))
        return torch.cat([torch.exp(SPREAD * found[..., :ENDS]), SHARE * found[..., ENDS:]], -1)

    def _meet(self, x: Tensor, at: slice) -> None:
        if self.training and len(x):
            self.low[at] = torch.minimum(self.low[at], x.amin(0))
            self.high[at] = torch.maximum(self.high[at], x.amax(0))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the weights by the names of `SHAPES`."""
        return {name: self.state_dict()[name].numpy().copy() for name in SHAPES}


def started(seed: int) -> Net:
    """Return networks that change nothing yet: random, with zeros in the last layers."""
    weights = dict(fresh(seed).weights)
    for name in weights:
        if name.startswith(("edge.4", "level.2")):
            weights[name] = np.zeros_like(weights[name])
    return Net(Network(weights))
