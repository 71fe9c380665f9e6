"""Small active fluids that the tests share."""

import math

import numpy as np
import torch

from plexus import registry
from plexus.physics.active_fluid import ActiveFluid, ActiveFluidParams
from plexus.spaces.fourier import Fourier
from plexus.stepping.march import march
from plexus.stepping.steppers.sbdf2 import Sbdf2, Sbdf2Params

SIZE = 10.0


def closed_by(name):
    """Return a classical closure by name, None for none."""
    if name is None:
        return None
    component = registry.component("closure", name)
    return component.cls(component.params())


def fluid(cells, closure=None, seed=1, initial=None, comm=None, dealias="two_thirds", **params):
    """Return a spin hierarchy on a square of side 10."""
    space = Fourier((cells, cells), (SIZE, SIZE), comm, dealias=dealias)
    return ActiveFluid(ActiveFluidParams(**params)).model(space, closed_by(closure), seed, initial)


def run(model, end, dt, hat=None, every=1, callback=None):
    """Return the modes at the time ``end``, by SBDF2."""
    with torch.no_grad():
        start = model.initial() if hat is None else hat
        steps = round(end / dt)
        assert math.isclose(steps * dt, end)
        for state in march(model, Sbdf2(Sbdf2Params()), start, dt, steps):
            if callback is not None and (state.step % every == 0 or state.step == steps):
                callback(state.t, state.values[model.unknown])
        return state.values[model.unknown]


def growth_rate(alpha, zeta, number, beta=0.8, d_t=0.05, d_r=0.05):
    """Return the growth of the isotropic state's worst mode of one wave number."""
    k = 2 * math.pi * number / SIZE
    return zeta - 4 * d_r - d_t * k**2 - (alpha - zeta * beta / 2) / (4 * (1 + beta / 8))


def relative(a, b):
    """Return |a - b| / |b|."""
    return float((a - b).norm() / b.norm())


def waves(order, cells, size):
    """Return moments of smooth, strongly ordered random data of few waves, (order+1, cells, cells)."""
    f1 = size * _few_waves(cells) / _few_waves(120).abs().max()
    return torch.stack([f1**m for m in range(order + 1)])


def _few_waves(cells):
    draw = np.random.default_rng(7)
    x = 2 * math.pi * torch.arange(cells, dtype=torch.float64) / cells
    f1 = torch.zeros(cells, cells, dtype=torch.complex128)
    for kx in range(-2, 3):
        for ky in range(-2, 3):
            f1 += complex(*draw.normal(size=2)) * torch.exp(1j * (kx * x[:, None] + ky * x[None, :]))
    return f1


def within(label, measured, bound):
    """Assert measured <= bound and tell both; ``pytest -rP`` shows them."""
    print(f"{label}: {measured:.3g} (at most {bound:g})")
    assert measured <= bound, label
