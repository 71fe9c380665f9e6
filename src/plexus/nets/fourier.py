"""The Fourier neural operator: fields to fields on a grid of one to three axes, split over ranks in any way.

    v_0 = P(u, x),   v_(l+1) = a(K_l v_l + W_l v_l + b_l),   result Q(v_L)

K_l acts on the lowest modes (`plexus.nets.modes`), W_l at each point; lift P is linear, projection Q has one
hidden layer, and the last layer has no activation. The weights know no grid: the same ones serve any number
of points. Values and gradients of inputs are those of one rank; where a grid is split, the gradient of a
weight is this rank's part of a sum over the ranks, which training takes once.

Source: Z. Li et al., Fourier neural operator for parametric partial differential equations, 2021,
doi:10.48550/arXiv.2010.08895; N. Kovachki et al., Neural operator: learning maps between function spaces,
2021, doi:10.48550/arXiv.2108.08481.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from plexus.nets.dense import ACTIVATIONS, Dense
from plexus.nets.lowmodes import spectral_weights
from plexus.nets.modes import Axis, Modes, Total, spread


class FourierOperator(nn.Module):
    """A Fourier neural operator.

    Parameters
    ----------
    inputs, outputs :
        Channels of the fields.
    modes :
        Modes per direction and sign, one number for each axis of the grid.
    width :
        Channels between the layers.
    depth :
        Fourier layers.
    projection :
        Hidden channels of the projection.
    activation :
        One of `plexus.nets.dense.ACTIVATIONS`.
    coordinates :
        Whether the places, as shares of the domain, are channels of the input too. A periodic problem without
        them commutes with shifts.
    seed :
        Seed of the start weights.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        modes: Sequence[int],
        width: int = 32,
        depth: int = 4,
        projection: int = 128,
        activation: str = "gelu",
        coordinates: bool = False,
        seed: int = 0,
    ):
        super().__init__()
        self.modes, self.coordinates, self.activation = tuple(modes), coordinates, ACTIVATIONS[activation]
        pairs = [(width, width)] * depth
        draw = torch.Generator().manual_seed(seed)
        first, second, third, *rest = torch.randint(2**31, (depth + 3,), generator=draw).tolist()
        self.lift = Dense([inputs + coordinates * len(self.modes), width], seed=first)
        self.weights = spectral_weights(pairs, self.modes, second)
        self.paths = nn.ModuleList(Dense(list(pair), seed=s) for pair, s in zip(pairs, rest, strict=True))
        self.projection = Dense([width, projection, outputs], activation, seed=third)
        self.axes: tuple[Axis, ...] = ()
        self.bound: Modes | None = None

    def bind(self, axes: Sequence[Axis], total: Total | None = None) -> None:
        """Take up a grid; ``total`` adds a tensor over its ranks, differentiably (absent: one rank)."""
        self.axes = tuple(axes)
        self.bound = Modes(axes, self.modes, self.weights[0], total)

    def forward(self, u: Tensor) -> Tensor:
        """Return (outputs, ..., *points) of fields (inputs, ..., *points). Collective."""
        assert self.bound is not None, "bind the network to a grid first"
        v = self.lift(torch.cat([u, spread(u, self.axes)]) if self.coordinates else u)
        for layer, (weight, path) in enumerate(zip(self.weights, self.paths, strict=True)):
            v = self.bound.convolve(v, weight) + path(v)
            if layer < len(self.paths) - 1:
                v = self.activation(v)
        result: Tensor = self.projection(v)
        return result
