"""The Kuramoto-Sivashinsky equation on a periodic interval.

    u_t = -u_xx - u_xxxx - u u_x + s

In Fourier space L = k² - k⁴, which amplifies long waves (k < 1) and damps short ones, and N is the transform
of s - ∂_x u²/2, dealiased. Without a source N has no mode 0, and neither has L: the mean is conserved to the
last digit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch

from plexus.deck.params import Property
from plexus.protocols import Deviations
from plexus.spaces.fourier import Fourier

Tensor = torch.Tensor


class KuramotoModel:
    """A `plexus.protocols.Split` with the modes (..., 1, *hat_shape) of u as its unknown.

    Parameters
    ----------
    space:
        Real fields on a line.
    start:
        Returns u at the start, (1, *shape).
    source:
        s as a function of a point; None for none.
    """

    unknown = "u"
    real = True

    def __init__(self, space: Fourier, start: Callable[[], Tensor], source: Property | None = None):
        self.space, self.start, self.source = space, start, source
        self.linear = space.k2 - space.k2**2
        self.lost: Mapping[str, float] = {}

    def initial(self, deviations: Deviations | None = None) -> Tensor:
        """Return the modes of the start, without those that products would spoil. Collective."""
        u = self.start()
        hat = self.space.forward(u)
        self.lost = dict(zip(("short_waves",), self.space.shares(hat, hat * self.space.mask), strict=True))
        if deviations is not None:
            hat = self.space.forward(u + deviations(1))
        return hat * self.space.mask

    def explicit(self, hat: Tensor, t: float) -> Tensor:
        """Return the modes of s - ∂_x u²/2, dealiased. Collective."""
        u = self.space.inverse(hat)
        rates = self.space.forward(u**2) * (-0.5 * self.space.ik(0) * self.space.mask)
        if self.source is None:
            return rates
        s = self.source(self.space.place(t, {"u": u})).expand(u.shape)
        return rates + self.space.forward(s) * self.space.mask

    def rms(self, hat: Tensor) -> float:
        """Return the root mean square of u. Collective."""
        return math.sqrt(float(self.space.power(hat).sum()))

    def derived(self, name: str, hat: Tensor, t: float) -> Tensor:
        """Return a field that `plexus.physics.kuramoto_sivashinsky` names, (..., 1, *shape). Collective."""
        if name == "slope":
            return self.space.inverse(self.space.ik(0) * hat)
        if name == "curvature":
            return self.space.inverse(-self.space.k2 * hat)
        return self.space.inverse(hat)

    def monitor(self, hat: Tensor, t: float) -> dict[str, float]:
        """Return mean, energy, and what drives and damps it: Ė = <u_x²> - <u_xx²>. Collective."""
        space, k2 = self.space, self.space.k2
        # one field each: the mean is that over the members
        return {
            "mean": float(space.mean(space.inverse(hat)).mean()),
            "energy": float(space.power(hat).mean()) / 2,
            "production": float(space.power(hat * k2.sqrt()).mean()),
            "dissipation": float(space.power(hat * k2).mean()),
        }

    def memory(self) -> dict[str, Tensor]:
        """Return nothing: the rates follow from u alone."""
        return {}

    def restore(self, memory: Mapping[str, Tensor]) -> None:
        """Accept the empty memory."""


def wave(space: Fourier, amplitude: float) -> Tensor:
    """Return a·cos θ (1 + sin θ) with θ = 2πx/L, (1, *shape)."""
    theta = 2 * math.pi / space.lengths[0] * space.points()[0]
    return (amplitude * theta.cos() * (1 + theta.sin())).unsqueeze(0)


def noise(space: Fourier, amplitude: float, seed: int) -> Tensor:
    """Return a random u of mean zero and this rms value, with energy in the waves 0 < k < 1, (1, *shape)."""
    white = np.random.default_rng(seed).standard_normal((1, *space.cells))
    hat = space.forward(space.own(torch.from_numpy(white).to(space.dtype)))
    hat = hat * ((space.k2 > 0) & (space.k2 < 1)) * space.mask
    return space.inverse(hat * (amplitude / space.power(hat).sum().sqrt()))
