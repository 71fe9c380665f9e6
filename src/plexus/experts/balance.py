"""What flows into a tile during a slab of time is what it stores: equalities beside least squares.

    c_ks = Σ_cells h (S(u_b) - S(u_a)) - D ∫_a^b [u_x]_tile dt = 0

for tile k and slab s from level a to b, S(u) being what a volume stores. Rows of a least squares problem
are never exact; these are, a handful against K N unknowns. With J and H = JᵀJ at the solution,

    H h + Cᵀμ = -g,   C h = -c,    C = ∂c/∂ω,

again and again: c is nonlinear in ω by S, and vanishes quadratically.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch

from plexus.experts.line import Line
from plexus.experts.stencils import derivative
from plexus.experts.tiles import Tiles

Tensor = torch.Tensor
MOST, ENOUGH = 12, 1e-13
"""Steps, and the largest |c| in units of what is stored at which they end."""


@dataclass
class Balance:
    """c of fields l + v, v on a line.

    Attributes
    ----------
    tiles, slabs : tiles of the interval, and equal slabs of its levels, between times `bounds`.
    stored : S.
    diffusivity : D.
    """

    line: Line
    tiles: Tiles
    slabs: int
    stored: Callable[[Tensor], Tensor]
    diffusivity: float

    def __post_init__(self) -> None:
        x, t = self.line.x, self.line.t
        self.faces = torch.tensor([0.0, *self.tiles.edges, self.tiles.length], dtype=x.dtype)
        self.to_slopes = derivative(self.line.nodes, 1, self.faces)[:, 1:-1].T
        self.levels = [len(t) * s // self.slabs for s in range(self.slabs + 1)]
        self.bounds = torch.cat([t.new_zeros(1), t])[self.levels]
        self.cells = self.tiles.indicators(x) * self.tiles.length / len(x)
        every = torch.cat([t.new_zeros(1), t])
        step = torch.diff(every)
        # trapezoids; v vanishes at time 0
        self.weights = torch.zeros(self.slabs, len(every), dtype=x.dtype)
        for s, (a, b) in enumerate(pairwise(self.levels)):
            self.weights[s, a:b] += step[a:b] / 2
            self.weights[s, a + 1 : b + 1] += step[a:b] / 2

    def defect(self, start: Tensor, lift: Tensor, flown: Tensor, v: Tensor) -> Tensor:
        """Return c (M, K S), in units of what all tiles store at the end.

        Parameters
        ----------
        start
            u at time 0 (M, nx).
        lift, v
            l and v (M, nt, nx).
        flown
            D ∫ l_x dt through the faces, (M, slabs, K + 1).
        """
        stored = self.stored(torch.cat([start[:, None], lift + v], 1)) @ self.cells.T
        gained = torch.diff(stored[:, self.levels], dim=1)
        slopes = torch.einsum("sj,mjf->msf", self.weights[:, 1:], v @ self.to_slopes)
        came = torch.diff(flown + self.diffusivity * slopes, dim=2)
        return ((gained - came) / stored[:, -1].sum(-1)[:, None, None]).flatten(1)


def balanced(
    omega: Tensor, normal: Tensor, slope: Tensor, defect: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Return ω (M, n) with c = 0 next to the least squares solution, and the largest |c| (M,).

    Parameters
    ----------
    omega
        The least squares solution.
    normal, slope
        H (M, n, n) and g (M, n) there.
    defect
        ω -> c (M, m), each sample by itself.
    """
    first, found = omega, omega
    for _ in range(MOST):
        c = defect(found)
        if float(c.abs().max()) <= ENOUGH:
            break
        jacobian = torch.stack([_along(defect, found, i) for i in range(found.shape[1])], -1)
        zero = c.new_zeros(len(c), c.shape[1], c.shape[1])
        kkt = torch.cat([torch.cat([normal, jacobian.mT], 2), torch.cat([jacobian, zero], 2)], 1)
        g = slope + torch.einsum("mij,mj->mi", normal, found - first)
        step = torch.linalg.solve(kkt, -torch.cat([g, c], 1))
        found = found + step[:, : found.shape[1]]
    return found, defect(found).abs().amax(1)


def _along(f: Callable[[Tensor], Tensor], u: Tensor, i: int) -> Tensor:
    unit = torch.zeros_like(u)
    unit[:, i] = 1
    moved: Tensor = torch.func.jvp(f, (u,), (unit,))[1]
    return moved
