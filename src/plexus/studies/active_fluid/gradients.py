"""Derivatives of a roll-out of the learned two-moment model by constants and by a weight, two ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from plexus.learning.stages._march import rolled, start_from
from plexus.learning.trained import Trained
from plexus.studies.active_fluid.contenders import Case, Contender, Setup
from plexus.studies.active_fluid.traces import samples_of

Tensor = torch.Tensor
STEPS, STEP = 20, 1e-5
"""Steps of the solver, and the relative step of the central differences."""
BLOCK = {"type": "spin_network", "moment": 3, "precision": "fp64", "width": 16}


class Rollout:
    """Mean |f_1|² + |f_2|² after a few steps, as a function of α, ζ and one weight."""

    def __init__(self, seed: int):
        setup = Setup(cells=32, end=4.0, every=400)
        model: Any = Contender("learned", 2, BLOCK).model(Case(seed=seed), setup)
        self.model = model
        with torch.no_grad():
            *_, (_, hat) = samples_of(self.model, setup)
            self.moments, self.dt = self.model.space.inverse(hat), setup.dt
        self.weight: Tensor = self.model.closure.network.dense.weights[-1]
        # a network that has learned something: its last layer starts at zero
        self.weight.data = 0.3 * torch.linspace(-1, 1, self.weight.numel()).to(self.weight).view_as(
            self.weight
        )
        self.model.closure = Trained(self.model.closure)
        self.medium = self.model.medium
        self.at = torch.tensor(
            [self.medium.alpha, self.medium.zeta, float(self.weight[0, 0].detach())]
        ).double()

    def __call__(self, at: Tensor) -> Tensor:
        """Return the number for α, ζ and the first weight; differentiable by the constants."""
        self.model.change(replace(self.medium, alpha=at[0], zeta=at[1]))
        with torch.no_grad():
            self.weight[0, 0] = at[2].detach()
        start = start_from(self.model, self.moments)
        end = rolled(self.model, start, self.dt, (STEPS,))[STEPS]
        return self.model.space.power(end.modes)[1:].sum()


def mismatch(seed: int = 2) -> dict[str, float]:
    """Return |derivative by torch / central difference - 1| by α, ζ and a weight, in double precision."""
    value = Rollout(seed)
    at = value.at.clone().requires_grad_(True)
    value.weight.requires_grad_(True)
    value(at).backward()
    assert at.grad is not None and value.weight.grad is not None
    exact = [float(at.grad[0]), float(at.grad[1]), float(value.weight.grad[0, 0])]
    found = {}
    with torch.no_grad():
        for n, name in enumerate(("alpha", "zeta", "weight")):
            shift = torch.zeros(3, dtype=torch.float64)
            shift[n] = STEP * max(abs(float(value.at[n])), 0.1)
            slope = float(value(value.at + shift) - value(value.at - shift)) / float(2 * shift[n])
            found[name] = abs(exact[n] / slope - 1)
    return found
