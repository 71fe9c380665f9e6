"""A model with an exact solution: Burgers' equation by the Cole-Hopf transform, on any number of ranks."""

from itertools import pairwise

import torch

from plexus.fields.state import State
from plexus.spaces.fourier import Fourier


class Burgers:
    """u_t + u·∇u = ν ∇²u for u = ∇ of a potential, u = -2ν ∇φ/φ with φ = 2 + Σ cos(x_i - s_i) e^(-νt)."""

    unknown = "u"

    def __init__(self, space: Fourier, nu: float = 0.1):
        self.space, self.nu = space, nu
        self.linear = -nu * space.k2
        self.calls = 0

    def exact(self, t):
        xs = [x - 0.3 * i for i, x in enumerate(self.space.points())]
        decay = torch.exp(torch.tensor(-self.nu * t, dtype=torch.float64))
        phi = 1.5 + torch.zeros(self.space.shape, dtype=torch.float64)
        for x in xs:
            phi = phi + 0.5 * decay * torch.cos(x)
        return torch.stack([2 * self.nu * 0.5 * decay * torch.sin(x) / phi for x in xs])

    def start(self, t=0.0):
        return self.space.forward(self.exact(t))

    def explicit(self, hat, t):
        self.calls += 1
        # the gradient of |u|²/2, which is u·∇u for a potential flow
        square = self.space.forward((self.space.inverse(hat) ** 2).sum(0))
        terms = [-self.space.ik(i) * square / 2 for i in range(self.space.dim)]
        return torch.stack(terms) * self.space.mask

    def rms(self, hat):
        return float(self.space.power(hat).sum().sqrt())


def march(model, stepper, hat, times):
    """Take the steps between the times; return the modes at the last one."""
    state = State({model.unknown: hat}, times[0], 0)
    for n, (t, after) in enumerate(pairwise(times)):
        state = State(stepper.step(model, state, t, after - t).values, after, n + 1)
    return state.values[model.unknown]
