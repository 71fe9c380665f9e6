"""What a solve offers to be differentiated: F(u; θ) = 0 solved, tested, made linear and transposed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Solvable(Protocol):
    """Equations F(u; θ) = 0 between tensors of this rank: a KSP, a SNES, a stage of a step or a batch.

    A gradient with respect to θ of which every rank has a copy is the rank's part of a sum over all ranks.
    """

    def solve(self, theta: Sequence[Tensor], guess: Tensor) -> Tensor:
        """Return u with F(u; θ) = 0. Collective.

        Raises
        ------
        plexus.errors.SolveError
            If the solve fails, unless its batch marks the samples that did.
        """

    def tested(self, u: Tensor, theta: Sequence[Tensor], lam: Tensor) -> Tensor:
        """Return λᵀF(u; θ), this rank's part, as a scalar that torch can differentiate in u and θ."""

    def adjoint(self, u: Tensor, theta: Sequence[Tensor], v: Tensor) -> Tensor:
        """Return λ with (∂F/∂u)ᵀ λ = v at a solution. Collective.

        Raises
        ------
        plexus.errors.SolveError
            If the true residual of the transposed system is not small.
        """

    def tangent(self, u: Tensor, theta: Sequence[Tensor], b: Tensor) -> Tensor:
        """Return du with (∂F/∂u) du = b at a solution. Collective.

        Raises
        ------
        plexus.errors.SolveError
            If the true residual of the system is not small.
        """
