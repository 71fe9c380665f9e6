"""The learned multigrid cycle in torch, by which its networks are trained.

It is the cycle of `multigrid.c` in double precision with the networks of `conductances.c`; both agree to
rounding. Bounds of Chebyshev steps are found as a set-up finds them and have no gradient.
"""

from __future__ import annotations

from typing import Any

import torch

from plexus.solvers.multigrid import lanczos
from plexus.solvers.multigrid.bounds import M_MATRIX, MARGIN, STEPS
from plexus.solvers.multigrid.hierarchy import LOW, Hierarchy
from plexus.solvers.multigrid.learned import NARROWEST
from plexus.solvers.multigrid.nets import Net

Tensor = torch.Tensor


class Unrolled:
    """The learned cycle of a hierarchy for the weights of now."""

    def __init__(self, hierarchy: Hierarchy, levels: list[Any], net: Net):
        self.settings, self.grids, self.last = hierarchy.settings, levels, len(levels) - 1
        self.w, self.s = [levels[0].w], [levels[0].s]
        for fine in levels[:-1]:
            w, s = fine.coarser(net, self.w[-1], self.s[-1])
            self.w.append(w / self.settings.over_correction)
            self.s.append(s / self.settings.over_correction)
        each = list(zip(levels, self.w, self.s, strict=True))
        self.inverse = [1 / grid.diagonal(w, s)[:, None] for grid, w, s in each]
        self.matrices = [grid.matrix(w, s) for grid, w, s in each]
        self.direct = torch.linalg.inv(levels[-1].dense(self.w[-1], self.s[-1]))
        self.ends = [net.ends(grid.texture(w, s)) for grid, w, s in each]
        self.high = [hierarchy.levels[0].smoother[1], *map(self._top, range(1, self.last))]
        self.intervals: list[tuple[Tensor, float] | None] = [None] * len(levels)
        if self.settings.cycle == "two_step":
            for level in range(self.last - 1, 0, -1):
                self._bound(level)

    def _top(self, level: int) -> float:
        """Return the bound of the smoother."""
        row = self.grids[level].spread(self.w[level].detach(), self.s[level].detach())
        if row <= M_MATRIX + 1e-9:
            return M_MATRIX
        return min(row, MARGIN * self._extremes(level, lambda _, r: self.inverse[level] * r)[1])

    def _extremes(self, level: int, apply: Any) -> tuple[float, float]:
        """Return the ends of the spectrum of M A on a level."""

        def call(f: Any) -> lanczos.Operator:
            return lambda x: f(level, torch.from_numpy(x)[:, None])[:, 0].numpy()

        with torch.no_grad():
            product = call(self.product)
            start = product(lanczos.noise(0, self.grids[level].n))
            return lanczos.extremes(product, call(apply), lambda a, b: float(a @ b), start, STEPS)

    def _bound(self, level: int) -> None:
        low, high = self._extremes(level, self.cycle)
        low_end = torch.clamp(low * self.ends[level][1], max=NARROWEST * MARGIN * high)
        self.intervals[level] = low_end, MARGIN * high

    def product(self, level: int, x: Tensor) -> Tensor:
        """Return A x on a level, (n, b)."""
        found: Tensor = self.grids[level].product(self.w[level], self.s[level], x, self.matrices[level])
        return found

    def cycle(self, level: int, b: Tensor) -> Tensor:
        """Return M b for the cycle from a level on, (n, b)."""
        if level == self.last:
            return self.direct @ b
        grid = self.grids[level]
        x = self._smooth(level, b, None)
        z = grid.prolong(self._solved(level + 1, grid.restrict(b - self.product(level, x))))
        return self._smooth(level, b, x + z)

    def _smooth(self, level: int, b: Tensor, x: Tensor | None) -> Tensor:
        high, inverse = self.high[level], self.inverse[level]
        usual = LOW[self.settings.degree] * min(high, M_MATRIX)
        low = torch.clamp(usual * self.ends[level][0], max=NARROWEST * high)
        theta, delta = (high + low) / 2, (high - low) / 2
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
