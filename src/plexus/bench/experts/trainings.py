"""Trainings without solutions: the residual of the field on the whole grid is made small."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import torch

from plexus.bench.experts.family import CELLS, TIMES, Family
from plexus.experts.couplings.base import CouplingBase
from plexus.experts.couplings.windows import Windows
from plexus.experts.layer import Experts
from plexus.experts.samples import stratified
from plexus.experts.tiles import Tiles
from plexus.nets.fourier import FourierOperator
from plexus.nets.modes import Axis
from plexus.solvers.batched.base import solved

Tensor = torch.Tensor
STEPS, BATCH, POINTS, FUNCTIONS = 100, 8, 512, 8
RATE, LEAST, CLIP = 5e-3, 0.03, 1.0
"""Rate of Adam at first and its share at the end of a cosine; bound on the norm of a gradient."""
WIDE, NARROW = 0.25, 0.12
"""Overlaps of tiles: as wide as one of four, by the starts to choose by, and for up to eight."""
AFTER, BESIDE = 0.3, 0.15
"""Zeros behind the last time and beside the line, as shares of these."""
SOFT = 0.1
"""Size of a correction that is the network's own output."""


@dataclass
class Found:
    """A trained network: errors (M,) and residuals (M,) of the family's judged starts, and CPU seconds."""

    network: FourierOperator
    error: Tensor
    residual: Tensor
    seconds: float
    failed: int


def layer(family: Family, count: int, coupling: CouplingBase | None = None, overlap: float = WIDE) -> Experts:
    """Return the constraint with some number of tiles."""
    return Experts(family.line, family.law, coupling or Windows(), Tiles(count, overlap=overlap))


def fields(
    family: Family, network: FourierOperator, start: Tensor, experts: Experts | None, points: Tensor
) -> Tensor:
    """Return q of the fields; without experts the network's output is the correction."""
    known, gb = family.known(start), proposed(family, network, start)
    if experts is None:
        return known + family.line.q(SOFT * gb[:, 0])
    return experts.solve(known, gb, points)[0]


def proposed(family: Family, network: FourierOperator, start: Tensor) -> Tensor:
    """Return g b (M, N, nt, nx)."""
    b: Tensor = network(family.inputs(start).float()).double().transpose(0, 1)
    return family.factor * b


def trained(
    family: Family, experts: Experts | None, seed: int, steps: int | None = None, count: int = FUNCTIONS
) -> Found:
    """Return a network that some seed starts, trained for some steps, `STEPS` unless said."""
    steps = steps or STEPS
    network = FourierOperator(3, count if experts else 1, [8, 8], width=16, projection=64, seed=100 + seed)
    bound(network, family)
    adam = torch.optim.Adam(network.parameters(), lr=RATE)
    before = time.process_time()
    for step in range(steps):
        first = 10_000 + (seed * 10_000 + step) * BATCH
        start = family.starts(range(first, first + BATCH))
        points = stratified(len(family.t) * CELLS, POINTS, seed, step)
        adam.param_groups[0]["lr"] = RATE * (LEAST + (1 - LEAST) * (1 + math.cos(math.pi * step / steps)) / 2)
        adam.zero_grad()
        size = residual(family, fields(family, network, start, experts, points))
        size[solved(size[:, None])].mean().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        adam.step()
    seconds = time.process_time() - before
    error, left = judged(family, network, experts)
    return Found(network, error, left, seconds, experts.problem.tally.failed if experts else 0)


def bound(network: FourierOperator, family: Family) -> None:
    """Bind a network to a family's grid; its waves do not depend on how many of the times are taken."""
    levels = len(family.t)
    network.bind([Axis(levels, padding=(1 + AFTER) * TIMES / levels - 1), Axis(CELLS, padding=BESIDE)])


def residual(family: Family, q: Tensor) -> Tensor:
    """Return the root mean square of the residual over all points, (M,)."""
    return family.law(q).square().mean((1, 2)).sqrt()


@torch.no_grad()
def judged(family: Family, network: FourierOperator, experts: Experts | None) -> tuple[Tensor, Tensor]:
    """Return relative errors (M,) and residuals (M,) of the family's judged starts, by all points."""
    start, true = family.judged
    q = fields(family, network, start, experts, everywhere(family))
    return apart(q[:, 0], true), residual(family, q)


def everywhere(family: Family) -> Tensor:
    """Return the numbers of all points."""
    return torch.arange(len(family.t) * CELLS)


def apart(u: Tensor, true: Tensor) -> Tensor:
    """Return relative distances of fields in L2, (M,)."""
    return (u - true).flatten(1).norm(dim=1) / true.flatten(1).norm(dim=1)
