"""Conjugate gradients through the learned cycle in torch, and what a training makes small of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch

from plexus.solvers.multigrid.blocks import levels
from plexus.solvers.multigrid.hierarchy import Hierarchy
from plexus.solvers.multigrid.nets import Net, started
from plexus.solvers.multigrid.unrolled import Unrolled

Tensor = torch.Tensor


class System(NamedTuple):
    """A system of the training: hierarchy without learning, its levels, exact solutions (n, b)."""

    hierarchy: Hierarchy
    grids: list[Any]
    exact: Tensor


def iterates(cycle: Unrolled, b: Tensor, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield iterate and residual after each step of conjugate gradients; flexible under a K-cycle."""
    x, r, p, before, energy = torch.zeros_like(b), b, None, b, b
    for _ in range(steps):
        z = cycle.cycle(0, r)
        now = (r * z).sum(0)
        if p is None:
            p = z
        else:
            along = ((r - before) * z).sum(0) if cycle.settings.cycle == "k" else now
            p = z + along / energy * p
        energy, before = now, r
        q = cycle.product(0, p)
        alpha = now / (p * q).sum(0)
        x, r = x + alpha * p, r - alpha * q
        yield x, r


def made(hierarchy: Hierarchy, draw: np.random.Generator) -> System:
    """Return a system with solutions: four of noise, two of smooth b, two errors of unfinished solves."""
    grids = levels(hierarchy)
    idle = Unrolled(hierarchy, grids, started(0).eval())
    n = grids[0].n
    noise = torch.from_numpy(draw.standard_normal((n, 6)))
    b = noise.clone()
    with torch.no_grad():
        for _ in range(30):  # damped Jacobi steps towards A-harmonic functions
            smooth = b[:, 4:]
            b[:, 4:] = smooth - 0.5 * idle.inverse[0] * idle.product(0, smooth)
        early, end, size = torch.zeros(n, 2, dtype=b.dtype), b, b.norm(dim=0)
        late = int(draw.integers(1, 5))
        for step, (x, r) in enumerate(iterates(idle, b, 60), 1):
            if step == late:
                early = x[:, :2]
            end = x
            if float((r.norm(dim=0) / size).max()) < 1e-10:
                break
    return System(hierarchy, grids, torch.cat([end, end[:, :2] - early], 1))


def reduction(system: System, net: Net, steps: int, exact: Tensor) -> Tensor:
    """Return the mean logarithm of the reduction per step of error (A-norm) and residual, 0-d."""
    cycle = Unrolled(system.hierarchy, system.grids, net)
    b = cycle.product(0, exact)
    *_, (x, r) = iterates(cycle, b, steps)
    e = exact - x
    error = (e * cycle.product(0, e)).sum(0) / (exact * b).sum(0)
    return (0.5 * error.log() + 0.5 * ((r * r).sum(0) / (b * b).sum(0)).log()).mean() / (2 * steps)


def count(system: System, net: Net, steps: int, exact: Tensor, rtol: float, width: float = 0.5) -> Tensor:
    """Return a smooth number of steps until |r| ≤ rtol |b|, over ``steps``, 0-d.

    Σ_k σ((log |r_k|/|b| - log rtol)/width): S. Arisaka, Q. Li, ICML (2023), doi:10.48550/arXiv.2206.08594.
    """
    cycle = Unrolled(system.hierarchy, system.grids, net)
    b = cycle.product(0, exact)
    size, total = (b * b).sum(0), torch.ones((), dtype=b.dtype)
    for _, r in iterates(cycle, b, steps):
        left = 0.5 * ((r * r).sum(0) / size).log() - float(np.log(rtol))
        total = total + torch.sigmoid(left / width).mean()
        if float(left.detach().max()) < -6 * width:
            break
    return total / steps
