"""What a material remembers at the end of a step, as a node of torch's graph.

    z_n = M(u_n, z_(n-1); θ),    gradient with respect to u_n, z_(n-1), θ = ∂(wᵀM)

M is found where the run finds it, by compiled formulas, and differentiated by the same formulas on tensors,
which are evaluated when the gradient comes by. It is a solve of F = z - M = 0, whose matrix is the identity:
λ = w, and tangents are those of a solve.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from plexus.protocols import Instant
from plexus.solvers.adjoint.given import Given
from plexus.solvers.adjoint.node import solution

if TYPE_CHECKING:
    from plexus.spaces.tested import TestedForm

Tensor = torch.Tensor


def remembered(tested: TestedForm, u: Tensor, at: Instant, others: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the internal variables at the end of a step, (n_local points, m) by name, differentiable.

    Parameters
    ----------
    tested : TestedForm
        The equation that remembers, on tensors.
    u : Tensor
        Its unknown (n_local, m) at the end of the step, ghosts filled.
    at : Instant
        With the rest of the rate and the memory at the start of the step.
    others : mapping
        Other unknowns and controls by name.
    """
    memory = Memory(tested, Given(at, others))
    rows = solution(memory, u, u, *Given.flat(at, others))
    return memory.split(rows)


class Memory:
    """z - M = 0 (`plexus.protocols.adjoints.Solvable`) for all variables side by side; θ is u, then `Given`.

    Rows of ghost cells are advanced by every rank that has them, and differentiated by the ranks that own
    their cells: no other rank's integrals read them.
    """

    def __init__(self, tested: TestedForm, given: Given):
        self.tested_form, self.form, self.given = tested, tested.form, given

    def split(self, rows: Tensor) -> dict[str, Tensor]:
        """Return the columns of each variable."""
        names = [spec.name for spec in self.form.equation.internal]
        widths = [self.form.spaces[name].components for name in names]
        return dict(zip(names, rows.split(widths, dim=1), strict=True))

    def solve(self, theta: Sequence[Tensor], guess: Tensor) -> Tensor:
        """Return all variables, (n_local points, M)."""
        at, others = self.given.arrays(theta[1:])
        u = theta[0].detach().numpy()
        found = self.form.advance(at.t, u, at.rate(u), others, at.since)
        return torch.cat([torch.from_numpy(found[spec.name]) for spec in self.form.equation.internal], 1)

    def tested(self, z: Tensor, theta: Sequence[Tensor], lam: Tensor) -> Tensor:
        """Return -λᵀM, this rank's part; λᵀz depends on no θ."""
        u, *tail = theta
        at, others = self.given.read(tail)
        return -self.tested_form.remembered(at.t, u, at.rate(u), others, self.split(lam), at.since)

    def adjoint(self, z: Tensor, theta: Sequence[Tensor], v: Tensor) -> Tensor:
        """Return v."""
        return v

    def tangent(self, z: Tensor, theta: Sequence[Tensor], b: Tensor) -> Tensor:
        """Return b."""
        return b
