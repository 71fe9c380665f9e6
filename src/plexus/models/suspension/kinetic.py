"""The kinetic theory of an active suspension on a full grid of positions and angles.

    ∂Ψ/∂t + ∇·(u Ψ) + ∂_θ(ω Ψ) = d_T ∇²Ψ + d_R ∂²Ψ/∂θ²,   ω = W - Im(g e^{2iθ}),   g = e + ζ f_1

The unknown is Ψ_n(k) = mean of Ψ e^{-i(nθ + k·x)}, n = 0..N_θ/3: harmonics beyond the two-thirds rule are not
carried, negative ones are conjugates. Angles are local to a rank, so that positions alone are split. Products
are taken on the grid of positions and angles, as in the published solver; f_m = 2π Ψ_(2m).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property

import torch

from plexus.errors import InputError
from plexus.models.suspension.base import Suspension
from plexus.models.suspension.medium import Medium
from plexus.models.suspension.passive import Passive
from plexus.models.suspension.snapshot import Snapshot
from plexus.spaces.fourier import Fourier

Tensor = torch.Tensor


class KineticModel(Suspension):
    """Ψ on x, y and θ; the unknown is (..., N, *hat_shape) complex with the harmonics along axis -3.

    Parameters
    ----------
    space, medium, passive, start:
        As of `Suspension`.
    angles:
        Number of grid angles on [0, 2π), at least 16.
    """

    unknown = "distribution"

    def __init__(
        self, space: Fourier, medium: Medium, passive: Passive, start: Callable[[int], Tensor], angles: int
    ):
        if angles < 16:
            raise InputError(f"{angles} angles leave no fourth moment after dealiasing; take 16 or more")
        self.angles = angles
        self.harmonics = (angles - 1) // 3 + 1  # n with 3 n < N_θ
        super().__init__(space, medium, passive, start, (self.harmonics - 1) // 2)

    @cached_property
    def n(self) -> Tensor:
        """Numbers of the harmonics, (N, 1, 1)."""
        n = torch.arange(self.harmonics, dtype=self.space.dtype, device=self.space.device)
        return n.reshape(-1, 1, 1)

    @cached_property
    def rates_of_decay(self) -> Tensor:
        """n², (N, 1, 1)."""
        return self.n**2

    @cached_property
    def turning_factors(self) -> Tensor:
        """-i n, n >= 1: minus the derivative in angle, (N-1, 1, 1)."""
        return -1j * self.n[1:]

    @cached_property
    def _turn(self) -> Tensor:
        """e^{2iθ} on the grid of angles, (N_θ, 1, 1)."""
        theta = torch.arange(self.angles, dtype=torch.float64) * (2 * math.pi / self.angles)
        return torch.exp(2j * theta).to(self.space.complex_dtype).reshape(-1, 1, 1).to(self.space.device)

    def modes(self, f: Tensor) -> Tensor:
        """Return the modes of the distribution with these moments and no odd harmonics. Collective."""
        shape = (*f.shape[:-3], self.harmonics, *self.space.shape)
        psi = torch.zeros(shape, dtype=f.dtype, device=f.device)
        psi[..., ::2, :, :] = f / (2 * math.pi)
        return self.space.forward(psi)

    def on_grid(self, hat: Tensor) -> tuple[Tensor, Tensor]:
        """Return Ψ (..., N_θ, nx, ny), real, and its moments. Collective."""
        harmonics = self.space.inverse(hat)
        psi = torch.fft.irfft(harmonics, self.angles, dim=-3, norm="forward")
        return psi, 2 * math.pi * harmonics[..., ::2, :, :]

    def advance(self, s: Snapshot) -> Tensor:
        """Return advection and rotation of the distribution. Collective."""
        psi, velocity = s.state, s.flow.velocity.unsqueeze(-3)
        turning = s.flow.w.unsqueeze(-3) - (s.g.unsqueeze(-3) * self._turn).imag
        carried, turned = velocity * psi.unsqueeze(-4), turning * psi
        return self.divergence(self._harmonics(carried), self._harmonics(turned)[..., 1:, :, :])

    def _harmonics(self, psi: Tensor) -> Tensor:
        """Return the harmonics that are carried of a function of the angle."""
        return torch.fft.rfft(psi, dim=-3, norm="forward")[..., : self.harmonics, :, :]
