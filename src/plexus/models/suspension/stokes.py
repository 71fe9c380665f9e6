"""Stokes flow of a stress on a periodic square, solved mode by mode.

    -∇²u + ∇P = ∇·Σ,   ∇·u = 0,   mean of u zero

Only the symmetric traceless part of Σ drives flow, given as its spin s = Σ_11 - Σ_22 - 2i Σ_12. With the
stream function u = (∂_y ψ, -∂_x ψ) the curl of the equation is, for A = k_x² - k_y² and B = 2 k_x k_y,

    ψ̂ = (B ŝ_r + A ŝ_i) / (2 k⁴),   E_11 = -B ψ̂ / 2,   E_12 = A ψ̂ / 2,   W = k² ψ̂ / 2.

The real and the imaginary part of s are transformed as two real fields, so that no mode -k is needed,
which another rank may hold. The map from s to e is -1/4 times an orthogonal projection in the mean of
Re(conj(a) b), so that 2⟨E:E⟩ = -⟨E:Σ⟩, the power identity, reads 4⟨|e|²⟩ = -⟨Re(conj(e) s)⟩.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from plexus.models.suspension import pointwise
from plexus.spaces.fourier import Fourier

Tensor = torch.Tensor


class Flow(NamedTuple):
    """A flow on the grid, each part (..., nx, ny)."""

    velocity: Tensor
    """u and v along axis -3."""
    w: Tensor
    """Half the vorticity, (∂_x v - ∂_y u)/2."""
    e: Tensor
    """E_11 - i E_12."""


class Stokes:
    """The flow operator of a box; modes that dealiasing removes carry no flow.

    Parameters
    ----------
    space:
        Fields of the box, real or complex, two-dimensional.
    """

    def __init__(self, space: Fourier):
        self.space = space.sibling(real=True)
        (kx, ky), (nx, ny) = self.space.k, self.space.numbers
        # the mode N/2 stands for ±N/2 at once, and its odd derivatives have no value on the grid
        whole = (2 * nx.abs() != space.cells[0]) & (2 * ny.abs() != space.cells[1])
        scale = self.space.mask * whole * self.space.inverse_k2**2 / 2
        self.k = kx.contiguous(), ky.contiguous()
        self.to_stream = torch.stack([2 * kx * ky * scale, (kx * kx - ky * ky) * scale])

    def stream(self, stress: Tensor) -> Tensor:
        """Return the modes of the stream function for a stress of spin s (..., nx, ny). Collective."""
        return self.stream_of(torch.stack([stress.real, stress.imag], -3))

    def stream_of(self, parts: Tensor) -> Tensor:
        """Return the same for the real and the imaginary part of s along axis -3. Collective."""
        return pointwise.stream(self.space.forward(parts), self.to_stream)

    def flow(self, stream: Tensor) -> Flow:
        """Return velocity, half vorticity and strain rate. Collective."""
        fields = self.space.inverse(pointwise.flow(stream, self.k, whole=True))
        velocity, w, xx, xy = fields.split([2, 1, 1, 1], -3)
        return Flow(velocity, w.squeeze(-3), torch.complex(xx, xy).squeeze(-3))

    def strain(self, stream: Tensor) -> Tensor:
        """Return the strain rate e alone. Collective."""
        xx, xy = self.space.inverse(pointwise.flow(stream, self.k, whole=False)).unbind(-3)
        return torch.complex(xx, xy)
