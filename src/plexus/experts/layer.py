"""The constraint as a layer: functions on a grid of space and time in, the best field of them out.

    min over ω of  Σ_r f(q_r)²,    q = (u, u_t, u_xx) at m sampled points

in declared units, f being the equation's residual. All points of the result carry q, so that a loss takes f
there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from plexus.experts.couplings.base import CouplingBase
from plexus.experts.line import Line
from plexus.experts.tiles import Tiles
from plexus.solvers.adjoint.node import solution
from plexus.solvers.batched.base import solved
from plexus.solvers.batched.pointwise import Law, Pointwise

Tensor = torch.Tensor


@dataclass
class Experts:
    """Tiles, coupling and solver; any of them may be others at any time, with the same functions.

    Attributes
    ----------
    line : the grid.
    law : f(q), q (M, 3, m).
    coupling, tiles : how the experts are one field.
    tolerance, limit : those of `plexus.solvers.batched.levenberg.levenberg`.
    """

    line: Line
    law: Law
    coupling: CouplingBase
    tiles: Tiles
    tolerance: float = 1e-8
    limit: int = 50

    def __post_init__(self) -> None:
        self.problem = Pointwise(self.law, self.tolerance, self.limit)

    def solve(self, known: Tensor, functions: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return q of the field (M, 3, nt, nx) and ω (M, K N); samples that failed are NaN, and are counted.

        Parameters
        ----------
        known
            q of the lift (M, 3, nt, nx).
        functions
            g b (M, N, nt, nx).
        points
            Numbers of the sampled points of the grid.
        """
        blended = self.coupling.field(functions, self.tiles, self.line.x)
        theta = self.rows(known, functions, blended, points)
        omega = solution(self.problem, known.new_zeros(len(known), blended.shape[1]), *theta)
        good = solved(omega)
        q = torch.full_like(known, torch.nan)
        # what failed has no part in the graph: 0 times NaN would come back
        v = torch.einsum("mntx,mn->mtx", blended[good], omega[good])
        q[good] = known[good] + self.line.q(v)
        return q, omega

    def normal(self, omega: Tensor, theta: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return JᵀJ (M, K N, K N) and the gradient (M, K N) at ω."""
        j = self.problem.jacobian(omega, theta)
        return j.mT @ j, torch.einsum("mri,mr->mi", j, self.problem.values(omega, theta))

    def rows(self, known: Tensor, functions: Tensor, blended: Tensor, points: Tensor) -> Sequence[Tensor]:
        """Return the θ of the least squares problem."""
        seen = self.coupling.seen(self.line, functions, blended, self.tiles)
        columns = seen.flatten(3)[..., points].mT.contiguous()
        conditions = self.coupling.conditions(functions, self.tiles, self.line.x)
        # as many conditions as there are weigh as much as all rows of the equation
        conditions = conditions * math.sqrt(len(points) / max(conditions.shape[1], 1))
        return columns, known.flatten(2)[..., points], conditions, conditions.new_zeros(conditions.shape[:2])
