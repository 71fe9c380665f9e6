"""A Fourier neural operator that touches its lowest modes only.

One layer maps channels u_i to  v_o = Re Σ_k w_k Σ_i R_oi(k) û_i(k) e^{ik·x}  (`plexus.nets.modes`). No
pointwise path stands beside it, so a layer is purely low-pass.

Source: Z. Li et al., Fourier neural operator for parametric partial differential equations, 2021,
doi:10.48550/arXiv.2010.08895.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from plexus.errors import InputError
from plexus.nets.dense import ACTIVATIONS
from plexus.nets.modes import Axis, Modes, Total, count


class LowModes(nn.Module):
    """Spectral layers ``channels[0] -> ... -> channels[-1]`` with ``modes`` modes per direction and sign."""

    def __init__(
        self,
        channels: Sequence[int],
        modes: int = 16,
        activation: str = "sine",
        seed: int = 0,
        dim: int = 2,
    ):
        super().__init__()
        self.modes, self.activation = (modes,) * dim, ACTIVATIONS[activation]
        self.weights = spectral_weights(itertools.pairwise(channels), self.modes, seed)
        self.bound: Modes | None = None

    def bind(self, axes: Sequence[Axis], total: Total | None = None) -> None:
        """Make the Fourier matrices of a grid; ``total`` adds a tensor over its ranks, differentiably.

        Raises
        ------
        InputError
            If the grid is coarser than the modes need.
        """
        cells, needed = [a.points for a in axes], 2 * max(self.modes)
        if min(cells) < needed:
            grid = " x ".join(map(str, cells))
            raise InputError(f"{max(self.modes)} modes need {needed} cells per direction, not {grid}")
        self.bound = Modes(axes, self.modes, self.weights[0], total)

    def forward(self, u: Tensor) -> Tensor:
        """Return (channels, ..., *points) of fields (channels, ..., *points). Collective."""
        assert self.bound is not None, "bind the network to a grid first"
        for layer, weight in enumerate(self.weights):
            u = self.bound.convolve(self.activation(u) if layer else u, weight)
        return u


def spectral_weights(pairs: Iterable[tuple[int, int]], modes: Sequence[int], seed: int) -> nn.ParameterList:
    """Return weights (inputs, outputs, *modes, 2) of layers, uniform in [0, 1/(inputs outputs)).

    Real and imaginary part lie along the last axis: files of weights hold real numbers.
    """
    draw = torch.Generator().manual_seed(seed)
    return nn.ParameterList(
        nn.Parameter(torch.rand(n, m, *count(modes), 2, generator=draw) / (n * m)) for n, m in pairs
    )
