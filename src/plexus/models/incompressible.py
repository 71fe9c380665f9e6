"""Incompressible flow in a periodic box, in two or three dimensions, by its velocity.

    u_t = -P ∇·(u u) + ν ∇²u + P f,   P = 1 - k k/|k|²

P takes the gradient part away, so that no pressure is solved for. Because a pressure may be added to the
diagonal of u u for free, its last entry is taken from the others: 5 products to transform in 3-D and 2 in
2-D (C. Basdevant, J. Comput. Phys. 50 (1983) 209-214, doi:10.1016/0021-9991(83)90064-5). With the two-thirds
rule the discrete equations conserve energy without viscosity, up to the error of the time step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from plexus.deck.params import Property
from plexus.protocols import Deviations
from plexus.spaces.fourier import Fourier

Tensor = torch.Tensor
WITHOUT = ("divergence", "short_waves")
"""What is left out of a start."""


class IncompressibleModel:
    """A `plexus.protocols.Split` with the modes (..., d, *hat_shape) of the velocity as its unknown.

    Parameters
    ----------
    space:
        Real fields in d = 2 or 3 dimensions.
    viscosity:
        Kinematic viscosity ν [m²/s].
    start:
        Returns the velocity at the start, (d, *shape); its part with divergence is taken away.
    force:
        Force per mass f along each axis, a function of a point; nothing for none.
    """

    unknown = "velocity"
    real = True

    def __init__(
        self,
        space: Fourier,
        viscosity: float,
        start: Callable[[], Tensor],
        force: Sequence[Property] = (),
    ):
        self.space, self.viscosity, self.start, self.force = space, viscosity, start, force
        self.linear = -viscosity * space.k2
        self.lost: Mapping[str, float] = {}
        self._pairs = [(i, j) for i in range(space.dim) for j in range(i, space.dim)][:-1]
        self._axis = -space.dim - 1

    def initial(self, deviations: Deviations | None = None) -> Tensor:
        """Return the modes of the start, without divergence. Collective."""
        u = self.start()
        hat = self.space.forward(u)
        solenoidal = self.project(hat)
        kept = solenoidal * self.space.mask
        self.lost = dict(zip(WITHOUT, self.space.shares(hat, solenoidal, kept), strict=True))
        if deviations is None:
            return kept
        return self.project(self.space.forward(u + deviations(self.space.dim))) * self.space.mask

    def project(self, hat: Tensor) -> Tensor:
        """Return the part of a vector field's modes that has no divergence."""
        k, parts = self.space.k, hat.unbind(self._axis)
        along = sum(k[i] * parts[i] for i in range(self.space.dim)) * self.space.inverse_k2
        return torch.stack([parts[i] - k[i] * along for i in range(self.space.dim)], self._axis)

    def explicit(self, hat: Tensor, t: float) -> Tensor:
        """Return the modes of -P ∇·(u u) + P f, dealiased. Collective."""
        velocity = self.space.inverse(hat)
        u = velocity.unbind(self._axis)
        last = u[-1] ** 2
        products = [u[i] * u[j] - last if i == j else u[i] * u[j] for i, j in self._pairs]
        modes = self.space.forward(torch.stack(products, self._axis)).movedim(self._axis, 0)
        flux = dict(zip(self._pairs, modes, strict=True))
        axes = range(self.space.dim)
        rows = [[(j, min(i, j), max(i, j)) for j in axes] for i in axes]
        rates = [sum(self.space.ik(j) * flux[a, b] for j, a, b in row if (a, b) in flux) for row in rows]
        total = torch.stack(rates, self._axis)
        if self.force:
            total = total - self._driven(velocity, t)
        return self.project(total) * -self.space.mask

    def _driven(self, velocity: Tensor, t: float) -> Tensor:
        """Return the modes of the force. Collective."""
        p = self.space.place(t, {"velocity": velocity.movedim(self._axis, -1)})
        along = [f(p).expand(u.shape) for f, u in zip(self.force, velocity.unbind(self._axis), strict=True)]
        return self.space.forward(torch.stack(along, self._axis))

    def rms(self, hat: Tensor) -> float:
        """Return the root mean square speed. Collective."""
        return math.sqrt(float(self.space.power(hat).sum()))

    def gradient(self, hat: Tensor) -> Tensor:
        """Return ∂_j u_i as (..., d, d, *shape). Collective."""
        slopes = [self.space.ik(j) * hat for j in range(self.space.dim)]
        return self.space.inverse(torch.stack(slopes, self._axis))

    def derived(self, name: str, hat: Tensor, t: float) -> Tensor:
        """Return a field that `plexus.physics.navier_stokes` names, (..., m, *shape). Collective."""
        if name == "velocity":
            return self.space.inverse(hat)
        if name == "kinetic_energy":
            return (self.space.inverse(hat) ** 2).sum(self._axis, keepdim=True) / 2
        found = self._pressure(hat) if name == "pressure" else self._of_gradient(name, self.gradient(hat))
        return found.unsqueeze(self._axis)

    def _of_gradient(self, name: str, g: Tensor) -> Tensor:
        """Return a field that is computed from ∂_j u_i, (..., *shape)."""
        both = (self._axis - 1, self._axis)
        other = g.transpose(*both)
        if name == "dissipation":
            return self.viscosity / 2 * ((g + other) ** 2).sum(both)
        if name == "swirl":
            return -(g * other).sum(both) / 2
        if self.space.dim == 2:
            return g[..., 1, 0, :, :] - g[..., 0, 1, :, :]
        # |ω|² = Σ (∂_j u_i)² - ∂_j u_i ∂_i u_j
        return (g * g - g * other).sum(both).clamp_min(0).sqrt()

    def _pressure(self, hat: Tensor) -> Tensor:
        """Return p/ρ with mean zero, (..., *shape): -∇²p = ∂_i ∂_j (u_i u_j)."""
        u, k = self.space.inverse(hat).unbind(self._axis), self.space.k
        axes = range(self.space.dim)
        pairs = [(i, j) for i in axes for j in axes if i <= j]
        products = torch.stack([u[i] * u[j] for i, j in pairs], self._axis)
        modes = (self.space.forward(products) * self.space.mask).unbind(self._axis)
        total = sum((1 if i == j else 2) * k[i] * k[j] * m for (i, j), m in zip(pairs, modes, strict=True))
        return self.space.inverse(-self.space.inverse_k2 * total)

    def monitor(self, hat: Tensor, t: float) -> dict[str, float]:
        """Return mean energy, dissipation and enstrophy, and the rms divergence. Collective."""
        space, parts = self.space, hat.unbind(self._axis)
        energy = float(space.power(hat).sum(-1).mean()) / 2
        # mean |ω|² equals mean |∇u|² for a field without divergence
        squares = float(space.power(hat * space.k2.sqrt()).sum(-1).mean())
        along = torch.stack([a * h for a, h in zip(space.k, parts, strict=True)]).sum(0)
        divergence = float(space.power(along).mean())
        return {
            "energy": energy,
            "dissipation": self.viscosity * squares,
            "enstrophy": squares / 2,
            "divergence": math.sqrt(divergence),
        }

    def memory(self) -> dict[str, Tensor]:
        """Return nothing: the rates follow from the velocity alone."""
        return {}

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Accept the empty memory."""


def taylor_green(space: Fourier, speed: float) -> Tensor:
    """Return the vortices of Taylor and Green, one period along every side, (d, *shape)."""
    x = [2 * math.pi * p / length for p, length in zip(space.points(), space.lengths, strict=True)]
    if space.dim == 2:
        return speed * torch.stack([-x[0].cos() * x[1].sin(), x[0].sin() * x[1].cos()])
    u = x[0].sin() * x[1].cos() * x[2].cos()
    v = -x[0].cos() * x[1].sin() * x[2].cos()
    return speed * torch.stack([u, v, torch.zeros_like(u)])


def random_flow(space: Fourier, speed: float, peak: float, seed: int) -> Tensor:
    """Return a random flow with energy spectrum ∝ k⁴ exp(-2 (k/peak)²), k in units of 2π / longest side.

    ``speed`` is its rms value. Every rank draws the whole field, so the flow does not depend on their number.
    """
    noise = np.random.default_rng(seed).standard_normal((space.dim, *space.cells))
    hat = space.forward(space.own(torch.from_numpy(noise).to(space.dtype)))
    k = space.k2.sqrt() * (max(space.lengths) / (2 * math.pi))
    # white noise has equal energy per mode; a shell of radius k holds about k^(d-1) of them
    shape = k.clamp_min(1e-9) ** ((5 - space.dim) / 2) * torch.exp(-((k / peak) ** 2)) * (k > 0)
    vector = sum(a * h for a, h in zip(space.k, hat, strict=True)) * space.inverse_k2
    hat = torch.stack([h - a * vector for a, h in zip(space.k, hat, strict=True)]) * shape * space.mask
    return space.inverse(hat * (speed / space.power(hat).sum().sqrt()))
