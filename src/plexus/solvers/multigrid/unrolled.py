"""Conjugate gradients through a learned multigrid cycle in torch, by which its network is trained.

The cycle is that of `multigrid.c` in double precision, the network that of `conductances.c`; both agree to
rounding. Bounds of Chebyshev steps are found as a set-up finds them and have no gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from plexus.solvers.multigrid import lanczos
from plexus.solvers.multigrid.bounds import MARGIN, STEPS
from plexus.solvers.multigrid.hierarchy import LOW, Hierarchy
from plexus.solvers.multigrid.learned import NARROWEST
from plexus.solvers.multigrid.network import REACH, SHAPES, SPREAD, Network, fresh
from plexus.solvers.multigrid.tensors import Grid, Product, features, grids, merged, texture

Tensor = torch.Tensor
HIGH = 2.0
"""Bound of the smoother: that of M-matrices, of which trainings are."""


class Root(torch.nn.Module):
    """x/√(1 + x²)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return it."""
        return x * torch.rsqrt(1 + x * x)


def _layers(name: str) -> torch.nn.Sequential:
    found: list[torch.nn.Module] = []
    for key, shape in SHAPES.items():
        if key.startswith(name) and key.endswith("weight"):
            found += [torch.nn.Linear(shape[1], shape[0], dtype=torch.float64), Root()]
    return torch.nn.Sequential(*found[:-1])


class Net(torch.nn.Module):
    """The networks of `plexus.solvers.multigrid.network` with gradients, and what they have seen."""

    def __init__(self, weights: Network):
        super().__init__()
        self.edge, self.level = _layers("edge"), _layers("level")
        self.register_buffer("low", torch.full((11,), torch.inf, dtype=torch.float64))
        self.register_buffer("high", torch.full((11,), -torch.inf, dtype=torch.float64))
        told = {name: torch.as_tensor(value) for name, value in weights.weights.items()}
        self.load_state_dict(told, strict=False)

    def factors(self, x: Tensor) -> Tensor:
        """Return m for features (e, 7)."""
        self._meet(x.detach(), slice(0, 7))
        return torch.exp(REACH * torch.tanh(self.edge(x).squeeze(1)))

    def ends(self, y: Tensor) -> Tensor:
        """Return g for the features of a level (4,)."""
        self._meet(y.detach()[None], slice(7, None))
        return torch.exp(SPREAD * torch.tanh(self.level(y)))

    def _meet(self, x: Tensor, at: slice) -> None:
        if self.training and len(x):
            self.low[at] = torch.minimum(self.low[at], x.amin(0))
            self.high[at] = torch.maximum(self.high[at], x.amax(0))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the weights by the names of `SHAPES`."""
        return {name: self.state_dict()[name].numpy().copy() for name in SHAPES}


def started(seed: int) -> Net:
    """Return networks that change nothing yet: random, with zeros in the last layers."""
    weights = dict(fresh(seed).weights)
    for name in weights:
        if name.startswith(("edge.4", "level.2")):
            weights[name] = np.zeros_like(weights[name])
    return Net(Network(weights))


class System(NamedTuple):
    """A system of the training: hierarchy without learning, its levels, exact solutions (n, b)."""

    hierarchy: Hierarchy
    grids: list[Grid]
    exact: Tensor


class Unrolled:
    """The learned cycle of a hierarchy for the weights of now."""

    def __init__(self, hierarchy: Hierarchy, levels: list[Grid], net: Net):
        self.settings, self.grids, self.last = hierarchy.settings, levels, len(levels) - 1
        self.w, self.s = [levels[0].w], [levels[0].s]
        for fine in levels[:-1]:
            w, s = merged(fine, self.w[-1], self.s[-1])
            m = net.factors(features(fine, self.w[-1], (w, s)))
            self.w.append(w * m / self.settings.over_correction)
            self.s.append(s / self.settings.over_correction)
        each = list(zip(levels, self.w, self.s, strict=True))
        self.inverse = [1 / grid.diagonal(w, s)[:, None] for grid, w, s in each]
        self.matrices = [grid.matrix(w, s) for grid, w, s in each]
        self.direct = torch.linalg.inv(levels[-1].dense(self.w[-1], self.s[-1]))
        self.ends = [net.ends(texture(grid, w, s)) for grid, w, s in each]
        self.intervals: list[tuple[Tensor, float] | None] = [None] * len(levels)
        if self.settings.cycle == "two_step":
            for level in range(self.last - 1, 0, -1):
                self._bound(level)

    def _bound(self, level: int) -> None:
        def call(f: object) -> lanczos.Operator:
            return lambda x: f(level, torch.from_numpy(x)[:, None])[:, 0].numpy()  # type: ignore[operator, no-any-return]

        with torch.no_grad():
            product = call(self.product)
            start = product(lanczos.noise(0, self.grids[level].n))
            low, high = lanczos.extremes(product, call(self.cycle), lambda a, b: float(a @ b), start, STEPS)
        low_end = torch.clamp(low * self.ends[level][1], max=NARROWEST * MARGIN * high)
        self.intervals[level] = low_end, MARGIN * high

    def product(self, level: int, x: Tensor) -> Tensor:
        """Return A x on a level, (n, b)."""
        found: Tensor = Product.apply(
            self.w[level], self.s[level], x, self.grids[level], self.matrices[level]
        )  # type: ignore[no-untyped-call]
        return found

    def cycle(self, level: int, b: Tensor) -> Tensor:
        """Return M b for the cycle from a level on, (n, b)."""
        if level == self.last:
            return self.direct @ b
        grid = self.grids[level]
        x = self._smooth(level, b, None)
        r = (b - self.product(level, x))[grid.kept]
        c = torch.zeros(grid.coarse.n, b.shape[1], dtype=b.dtype).index_add(0, grid.names[grid.kept], r)
        z = self._solved(level + 1, c)[grid.names.clamp(min=0)] * grid.kept[:, None]
        return self._smooth(level, b, x + z)

    def _smooth(self, level: int, b: Tensor, x: Tensor | None) -> Tensor:
        low = torch.clamp(LOW[self.settings.degree] * HIGH * self.ends[level][0], max=NARROWEST * HIGH)
        theta, delta, inverse = (HIGH + low) / 2, (HIGH - low) / 2, self.inverse[level]
        rho, d = delta / theta, torch.zeros_like(b)
        for k in range(self.settings.degree):
            r = inverse * (b if x is None else b - self.product(level, x))
            if k == 0:
                d = r / theta
            else:
                then = 1 / (2 * theta / delta - rho)
                d, rho = then * rho * d + 2 * then / delta * r, then
            x = d if x is None else x + d
        assert x is not None
        return x

    def _solved(self, level: int, f: Tensor) -> Tensor:
        interval = self.intervals[level]
        if level == self.last or (interval is None and self.settings.cycle != "k"):
            return self.cycle(level, f)
        z = self.cycle(level, f)
        if interval is None:
            return self._conjugate(level, f, z)
        low, high = interval
        theta, delta = (high + low) / 2, (high - low) / 2
        then = 1 / (2 * theta / delta - delta / theta)
        z = z / theta
        more = self.cycle(level, f - self.product(level, z))
        return z + then * delta / theta * z + 2 * then / delta * more

    def _conjugate(self, level: int, f: Tensor, z: Tensor) -> Tensor:
        q = self.product(level, z)
        energy = (z * q).sum(0)
        first = (z * f).sum(0) / energy
        p = f - first * q
        y = self.cycle(level, p)
        w = self.product(level, y)
        mixed = (z * w).sum(0) / energy
        second = (y * p).sum(0) / ((y * w).sum(0) - mixed * mixed * energy)
        return (first - second * mixed) * z + second * y


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
    levels = grids(hierarchy)
    idle = Unrolled(hierarchy, levels, started(0).eval())
    n = levels[0].n
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
    return System(hierarchy, levels, torch.cat([end, end[:, :2] - early], 1))


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
