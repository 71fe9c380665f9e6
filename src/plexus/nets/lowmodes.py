"""A Fourier neural operator that touches its lowest modes only, on a grid split over ranks by rows.

One layer maps channels u_i to  v_o = Re Σ_k w_k Σ_i R_oi(k) û_i(k) e^{ik·x}  over |k_x| <= modes, 0 <= k_y
< modes (w_k completes the conjugate half). No pointwise path stands beside it, so a layer is purely low-pass.

The few modes come from products with two thin Fourier matrices, not from a whole transform: each rank sums
its rows and the partial sums, modes² x channels numbers, are added over the ranks. Fields are never gathered.

Source: Z. Li et al., Fourier neural operator for parametric partial differential equations, 2021,
doi:10.48550/arXiv.2010.08895.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from plexus.errors import InputError
from plexus.nets.dense import ACTIVATIONS


class LowModes(nn.Module):
    """Spectral layers ``channels[0] -> ... -> channels[-1]`` with ``modes`` modes per direction and sign."""

    def __init__(self, channels: Sequence[int], modes: int = 16, activation: str = "sine", seed: int = 0):
        super().__init__()
        self.modes, self.activation = modes, ACTIVATIONS[activation]
        generator = torch.Generator().manual_seed(seed)
        pairs = list(itertools.pairwise(channels))
        # real and imaginary part along the last axis: files of weights hold real numbers
        self.weights = nn.ParameterList(
            nn.Parameter(torch.rand(n, m, 2 * modes, modes, 2, generator=generator) / (n * m))
            for n, m in pairs
        )
        self.total: Callable[[Tensor], Tensor] | None = None

    def bind(self, space: Any, total: Callable[[Tensor], Tensor] | None = None) -> None:
        """Make the Fourier matrices of a grid; ``total`` adds a tensor over its ranks, differentiably.

        Raises
        ------
        InputError
            If the grid is coarser than the modes need.
        """
        nx, ny = space.cells
        if min(nx, ny) < 2 * self.modes:
            raise InputError(f"{self.modes} modes need {2 * self.modes} cells per direction, not {nx} x {ny}")
        like = self.weights[0]
        rows = torch.arange(*space.rows, dtype=torch.float64)
        kx = torch.arange(-self.modes, self.modes, dtype=torch.float64)
        ky = torch.arange(self.modes, dtype=torch.float64)
        columns = torch.arange(ny, dtype=torch.float64)
        one = torch.ones((), dtype=torch.float64)
        x = torch.polar(one, 2 * math.pi / nx * kx[:, None] * rows)
        y = torch.polar(one, 2 * math.pi / ny * columns[:, None] * ky)
        half = torch.where(ky > 0, 2.0, 1.0).double()[:, None]
        kind = torch.complex128 if like.dtype == torch.float64 else torch.complex64
        self.to_x, self.from_x = [m.to(like.device, kind) for m in (x.conj() / nx, x.T)]
        self.to_y, self.from_y = [m.to(like.device, kind) for m in (y.conj() / ny, half * y.T)]
        self.total = total

    def forward(self, u: Tensor) -> Tensor:
        """Return (channels, ..., rows, ny) of fields (channels, ..., rows, ny)."""
        for layer, weight in enumerate(self.weights):
            if layer:
                u = self.activation(u)
            hat = self.to_x @ (u.to(self.to_y.dtype) @ self.to_y)
            if self.total is not None:
                hat = self.total(hat)
            mixed = torch.einsum("i...xy,ioxy->o...xy", hat, torch.view_as_complex(weight))
            u = ((self.from_x @ mixed) @ self.from_y).real
        return u
