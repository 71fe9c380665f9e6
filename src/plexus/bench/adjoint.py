"""Gradients beside the solves that they are of: time, and memory with kept states.

Solves on elements and their peer are in `plexus.bench.gradients` and `plexus.bench.inverse`. Of all, both
sides take turns in this process, and a cost is the core's time of value and gradient together in units of the
value without one, less one: what a gradient adds. That of marches with every k-th state kept holds the march
that is computed again. Memory is that of torch's tensors. Each part of `PARTS` gives the rows of one kind of
solve.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any, cast

import torch

from plexus.bench.gradients import composed, elements, seconds
from plexus.bench.inverse import inverse
from plexus.bench.memory import peak
from plexus.bench.table import Row
from plexus.solvers.adjoint.node import solution
from plexus.solvers.batched.levenberg import LeastSquares
from plexus.solvers.batched.newton import Roots
from plexus.stepping.adjoint import Chain, equal_steps

if TYPE_CHECKING:
    from plexus.coupling.volumes import VolumeSystem
    from plexus.deck.time import Time

TRANSIENT, NONLINEAR = 2.5, 1.0
"""Bounds on the cost of a gradient, in solves."""
STEPS, DT, EVERY, TURNS = 24, 5e-4, 6, 5
MARCHES = (("ssp_rk", "muscl", 96), ("ssp_rk", "weno5", 96), ("theta", "muscl", 16), ("bdf2", "muscl", 16))
"""Stepper, reconstruction, cells per side of a square."""
Tensor = torch.Tensor


def run() -> list[Row]:
    """Return the rows of all parts."""
    before = torch.get_num_threads()
    # as a rank of a run
    torch.set_num_threads(1)
    rows = [row for part in PARTS for row in part()]
    torch.set_num_threads(before)
    return rows


def volumes() -> list[Row]:
    """Return cost and memory of gradients through marches of cell means."""
    rows = []
    for stepper, values, cells in MARCHES:
        point, march = _march(stepper, values, cells)
        cost, forward = costs(partial(march, every=EVERY), point)
        name = f"{stepper}, {values}"
        item = f"{name}, {STEPS} steps of {cells}² cells, every {EVERY}th kept"
        rows.append(Row(item, cost, "x", TRANSIENT, cost <= TRANSIENT, f"march {forward:.2f} s"))
        few, all_ = (peak(partial(_gradient, partial(march, every=k), point)) for k in (EVERY, None))
        plain = peak(partial(_value, partial(march, every=None), point))
        text = f"{all_ / plain:.1f} with all states, {plain / 2**20:.1f} MiB of the march itself"
        rows.append(Row(f"{name}, memory of that beside the march", few / plain, "x", peer=text))
    return rows


def batched() -> list[Row]:
    """Return cost and memory of implicit gradients of many small systems."""
    rows = []
    for name, (problem, guess, theta) in _batches().items():
        cost, forward = costs(lambda *t, p=problem, g=guess: solution(p, g, *t).square().sum(), theta)
        peer = f"solve {1e3 * forward:.0f} ms, {problem.tally.longest} iterations"
        item = f"{name}, {len(guess)} systems of {guess.shape[1]}"
        rows.append(Row(item, cost, "x", NONLINEAR, cost <= NONLINEAR, peer))
    return rows


PARTS: Sequence[Callable[[], list[Row]]] = (elements, inverse, volumes, batched)


def costs(function: Callable[..., Tensor], point: Sequence[Tensor]) -> tuple[float, float]:
    """Return what a gradient adds to a function, in units of the function, and the latter's time [s]."""
    pairs = [
        (seconds(partial(_value, function, point)), seconds(partial(_gradient, function, point)))
        for _ in range(TURNS + 1)
    ]
    # the first turn compiles and allocates
    plain, both = (median(column) for column in zip(*pairs[1:], strict=True))
    return both / plain - 1, plain


def _value(function: Callable[..., Tensor], point: Sequence[Tensor]) -> None:
    with torch.no_grad():
        function(*point)


def _gradient(function: Callable[..., Tensor], point: Sequence[Tensor]) -> None:
    function(*(p.clone().requires_grad_() for p in point)).backward()


def _march(stepper: str, values: str, cells: int) -> tuple[list[Tensor], Callable[..., Tensor]]:
    """Return viscosity and start of Burgers' equation, and a number of its end as a function of them."""
    from plexus import registry
    from plexus.coupling.tracedcells import TracedCells

    made = composed(_deck(stepper, values, cells))
    # what the deck has made: a march of cells
    block = cast("Time", made.deck.time).stepper
    system = cast("VolumeSystem", made.system)

    def end(viscosity: Tensor, start: Tensor, every: int | None) -> Tensor:
        traced = TracedCells(system, {"nu": viscosity})
        chain = Chain(traced, lambda: registry.build("stepper", block), equal_steps(DT, STEPS), every)
        return chain.states({"velocity": start})[0]["velocity"].square().sum()

    return [torch.from_numpy(system.controls.own["nu"]), made.state.values["velocity"]], end


def _deck(stepper: str, values: str, cells: int) -> dict[str, Any]:
    return {
        "plexus": 1,
        "mesh": {"type": "periodic", "cells": [cells, cells], "size": [1, 1]},
        "controls": {"nu": {"type": "scalar", "unit": "m^2/s", "start": 0.02}},
        "physics": {"type": "burgers", "viscosity": "nu", "reconstruction": values},
        "initial": {"velocity": "2 + sin(2*pi*x)*cos(2*pi*y)"},
        "time": {"stepper": stepper, "end": 1, "step": DT},
    }


def _batches() -> dict[str, tuple[Any, Tensor, list[Tensor]]]:
    """Return problem, guess and θ of many systems by the name of their method."""
    draw = torch.Generator().manual_seed(1)
    a, b = (torch.randn(400, 16, generator=draw, dtype=torch.float64) for _ in range(2))
    times = torch.linspace(0, 1, 200, dtype=torch.float64)

    def bent(u: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return u + a**2 * u**3 + 0.1 * u.roll(1) - b

    def fit(u: Tensor, y: Tensor) -> Tensor:
        waves = torch.sin(4 * times * torch.arange(1, 5)[:, None] * (1 + u[:, None] / 9))
        return u @ waves - y

    data = torch.func.vmap(fit)(0.3 * a[:, :4], torch.zeros(400, 200, dtype=torch.float64))
    data = data + 0.05 * torch.randn(data.shape, generator=draw, dtype=torch.float64)
    return {
        "newton": (Roots(bent, (0, 0)), 0 * b, [a, b]),
        "levenberg": (LeastSquares(fit, (0,)), 0 * a[:, :4] + 0.1, [data]),
    }
