"""The learned multigrid cycle in torch, by which its networks are trained.

It is the cycle of `multigrid.c` in double precision with the networks of `conductances.c`; both agree to
rounding. Bounds of Chebyshev steps are found as a set-up finds them and have no gradient.
"""

from __future__ import annotations

import torch

from plexus.solvers.multigrid import lanczos
from plexus.solvers.multigrid.bounds import MARGIN, STEPS
from plexus.solvers.multigrid.hierarchy import LOW, Hierarchy
from plexus.solvers.multigrid.learned import NARROWEST
from plexus.solvers.multigrid.nets import Net
from plexus.solvers.multigrid.network import ENDS, MIXED, within
from plexus.solvers.multigrid.tensors import Grid, Product, features, merged, texture

Tensor = torch.Tensor
HIGH = 2.0
"""Bound of the smoother: that of M-matrices, of which trainings are."""


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
        self.told = [net.of_levels(texture(grid, w, s)) for grid, w, s in each]
        degree = self.settings.degree
        self.low = [torch.clamp(LOW[degree] * HIGH * told[0], max=NARROWEST * HIGH) for told in self.told]
        ratios = [float(low.detach()) / HIGH for low in self.low]
        self.mixed = [_mixed(told[ENDS:], degree, r) for told, r in zip(self.told, ratios, strict=True)]
        self.intervals: list[tuple[Tensor, float] | None] = [None] * len(levels)
        if self.settings.cycle == "two_step":
            for level in range(self.last - 1, 0, -1):
                self._bound(level)

    def _bound(self, level: int) -> None:
        def call(f: object) -> lanczos.Operator:
            return lambda x: f(level, torch.from_numpy(x)[:, None])[:, 0].numpy()  # type: ignore[operator]

        with torch.no_grad():
            product = call(self.product)
            start = product(lanczos.noise(0, self.grids[level].n))
            low, high = lanczos.extremes(product, call(self.cycle), lambda a, b: float(a @ b), start, STEPS)
        low_end = torch.clamp(low * self.told[level][1], max=NARROWEST * MARGIN * high)
        self.intervals[level] = low_end, MARGIN * high

    def product(self, level: int, x: Tensor) -> Tensor:
        """Return A x on a level, (n, b)."""
        found: Tensor = Product.apply(
            self.w[level], self.s[level], x, self.grids[level], self.matrices[level]
        )
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
        low, inverse = self.low[level], self.inverse[level]
        theta, delta = (HIGH + low) / 2, (HIGH - low) / 2
        rho, d, out = delta / theta, torch.zeros_like(b), torch.zeros_like(b) if x is None else x
        for k in range(self.settings.degree):
            r = inverse * (b if x is None else b - self.product(level, x))
            if k == 0:
                d = r / theta
            else:
                then = 1 / (2 * theta / delta - rho)
                d, rho = then * rho * d + 2 * then / delta * r, then
            x = d if x is None else x + d
            out = out + self.mixed[level][k] * d
        return out

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


def _mixed(shares: Tensor, degree: int, ratio: float) -> Tensor:
    """Return what `network.mixed` does."""
    lower = torch.cat([torch.zeros(max(degree - MIXED, 0), dtype=shares.dtype), shares.flip(0)])
    return 1 - within(degree, ratio) * torch.cumsum(lower[-degree:], 0)
