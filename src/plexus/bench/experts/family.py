"""Diffusion with sorption from many starts: residual, lift, and what the finite volume solver finds.

    r = T (R(u) u_t - D u_xx) on 64 middles of cells and 25 times up to T = 500 s

Starts are uniform, between 0.004 and 0.2, or Gaussian fields (no slope at the ends, τ = 10/m, α = 2, mean
0.105, deviation 0.1) clipped to 0.01 ... 0.2. Every start has a number: 1000 ... 1099 to choose by, from 2000
to judge by, from 10,000 to train with. The solver has three times as many cells, so that middles coincide.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch.func import jvp

from plexus.experts.lifts.erfc import TwoSided
from plexus.experts.line import Line
from plexus.formulation.isotherms import Freundlich
from plexus.physics.diffusion_sorption import DiffusionSorption, DiffusionSorptionParams
from plexus.samples._counter import uniform
from plexus.samples.gaussian_field import GaussianField, GaussianFieldParams

if TYPE_CHECKING:
    from plexus.coupling.volumes import VolumeSystem

Tensor = torch.Tensor
CELLS, TIMES, END, FINER = 64, 25, 500.0, 3
JUDGED = range(2000, 2032)
SMALLEST = 1e-6
"""Concentration below which the retardation stays what it is."""
DECK: dict[str, Any] = {
    "plexus": 1,
    "mesh": {"type": "interval", "cells": CELLS * FINER, "size": "1 m"},
    "physics": {"type": "diffusion_sorption"},
    "boundary": [{"on": "left", "concentration": 1}, {"on": "right", "robin": {"coefficient": "1 m/s"}}],
    "initial": {"concentration": 0.1},
    "time": {
        "stepper": "bdf2",
        "controller": {"type": "graded", "growth": 1.1, "max": "5 s"},
        "step": "1e-4 s",
        "end": f"{END} s",
    },
    "solver": {"concentration": {"ksp": "preonly", "preconditioner": "lu"}},
}


class Family:
    """Starts of one law.

    Parameters
    ----------
    random
        Fields, or else uniform starts.
    levels
        How many of the times are taken.
    """

    def __init__(self, random: bool, levels: int = TIMES):
        self.random = random
        params = DiffusionSorptionParams()
        self.d, self.isotherm = float(params.diffusivity.constant or 0), DiffusionSorption(params).isotherm
        self.x = (torch.arange(CELLS, dtype=torch.float64) + 0.5) / CELLS
        self.t = torch.arange(1, levels + 1, dtype=torch.float64) * END / TIMES
        self.lift = TwoSided(self.d, secant(self.isotherm))
        self.line = Line(self.x, self.t, (0.0, self.lift.end))
        self.factor = self.lift.factor(self.x, self.t, END)

    def starts(self, numbers: Sequence[int], finer: int = 1) -> Tensor:
        """Return starts at middles of cells (M, 64 finer)."""
        x = (np.arange(CELLS * finer) + 0.5) / (CELLS * finer)
        return torch.from_numpy(np.stack([self._start(n, x) for n in numbers]))

    def _start(self, number: int, x: np.ndarray) -> np.ndarray:
        if not self.random:
            return np.full_like(x, 0.004 + 0.196 * float(uniform(1, number).reshape(-1)[0]))
        law: dict[str, Any] = {"size": ["1 m"], "edge": "neumann", "modes": 32, "mean": 0.105, "tau": 10}
        field = GaussianFieldParams(seed=1, number=number, deviation=0.1, **law)
        return np.clip(GaussianField(field).values(x), 0.01, 0.2)

    def law(self, q: Tensor) -> Tensor:
        """Return r of u, u_t and u_xx (M, 3, ...)."""
        u, rate, bent = q.unbind(1)
        return END * (self.isotherm.capacity(u.clamp_min(SMALLEST)) * rate - self.d * bent)

    def known(self, start: Tensor) -> Tensor:
        """Return q of the lift (M, 3, nt, nx)."""

        def slope(x: Tensor) -> Tensor:
            found: Tensor = jvp(lambda x: self.lift.values(start, x, self.t), (x,), (torch.ones_like(x),))[1]
            return found

        rate = jvp(lambda t: self.lift.values(start, self.x, t), (self.t,), (torch.ones_like(self.t),))
        return torch.stack([*rate, jvp(slope, (self.x,), (torch.ones_like(self.x),))[1]], 1)

    def inputs(self, start: Tensor) -> Tensor:
        """Return what a network sees: start, time, place, all of size one, (3, M, nt, nx)."""
        shape = (len(start), len(self.t), CELLS)
        parts = (10 * start[:, None] - 1, (self.t / END)[:, None], self.x)
        return torch.stack([part.expand(shape) for part in parts])

    @cached_property
    def judged(self) -> tuple[Tensor, Tensor]:
        """Return starts that no training sees, and the solver's fields (M, nt, nx)."""
        fields = reference(self.starts(JUDGED, FINER), self.t)
        return self.starts(JUDGED), fields[..., FINER // 2 :: FINER]


def secant(isotherm: Freundlich) -> Any:
    """Return the retardation between two concentrations."""
    return lambda a, b: (isotherm.stored(a) - isotherm.stored(b)) / (a - b)


def reference(start: Tensor, times: Tensor) -> Tensor:
    """Return what the finite volume solver finds of starts (M, n), all in one march, (M, nt, n)."""
    from plexus.bench.gradients import composed
    from plexus.fields.state import State

    run = composed(DECK | {"ensemble": {"members": len(start)}})
    run.observers = []
    system = cast("VolumeSystem", run.system)
    run.state = State({"concentration": system.scheme.stored(start[:, None])}, 0.0)
    fields = []
    for t in times.tolist():
        for _ in run.march(t):
            pass
        fields.append(system.seen(run.state.values)["concentration"][:, 0].clone())
    return torch.stack(fields, 1)
