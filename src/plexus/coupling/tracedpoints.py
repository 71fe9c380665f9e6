"""A model without a mesh that steppers march with its graph: rates, and implicit solves as nodes of it.

Constants of the model may be tensors. Of the gradient with respect to one, every rank has the part of its
members.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from plexus.coupling.ontensors import OnTensors
from plexus.coupling.pointfields import PointFields
from plexus.coupling.smooth import Smooth
from plexus.coupling.stages import STATE, Stage
from plexus.errors import SolveError
from plexus.solvers.adjoint.node import solution
from plexus.spaces.controls import Sampled

if TYPE_CHECKING:
    from plexus.coupling.points import PointSystem
    from plexus.protocols import Instant, Rates

Tensor = torch.Tensor


class TracedPoints(OnTensors):
    """`plexus.protocols.Explicit` and `plexus.protocols.Implicit` for gradients.

    Parameters
    ----------
    system
        Members and sizes.
    model
        Constants by name -> the equations with these; by default the system's own, whatever they are.
    constants
        Tensors by name, parameters of networks among them.
    """

    def __init__(
        self,
        system: PointSystem,
        model: Callable[..., Rates] | None = None,
        constants: Mapping[str, Tensor] | None = None,
    ):
        super().__init__(system)
        self._model, self.constants = model, dict(constants or {})
        self._own = self.of(list(self.constants.values()))

    def of(self, values: Sequence[Tensor]) -> PointSystem:
        """Return the system with these values of the constants."""
        if self._model is None:
            return self.system
        named = dict(zip(self.constants, values, strict=True))
        return self.system.with_model(self._model(**named))

    def start(self) -> dict[str, Tensor]:
        """Return the values with which a run begins."""
        found: dict[str, Tensor] = self.system.opening(self._own)
        return found

    def evaluation(self, constants: Mapping[str, float]) -> SmoothPoints:
        """Return the fields of a state of tensors."""
        return SmoothPoints(self._own, constants, Sampled(self.system.controls, self.constants))

    def rates(self, values: Mapping[str, Tensor], t: float) -> dict[str, Tensor]:
        """Return dX/dt."""
        return {STATE: self._own.joined(values[STATE], t)}

    def solve(self, name: str, values: dict[str, Tensor], at: Instant, held: bool = False) -> int:
        """Put the solution of shift·X + offset = f(X, t) into ``values``; return Newton steps. Collective.

        Raises
        ------
        SolveError
            On all ranks, if a member does not converge; in a gradient, if its matrix is singular.
        """
        stage = _Traced(self, at)
        guess = values[name]
        offset = torch.zeros_like(guess) if at.offset is None else at.offset
        values[name] = solution(stage, guess, offset, *self.constants.values())
        return stage.steps


class SmoothPoints(Smooth, PointFields):
    """Values of members whose numbers have gradients."""


class _Traced:
    """One implicit solve (`plexus.protocols.adjoints.Solvable`); θ is the offset, then the constants."""

    def __init__(self, of: TracedPoints, at: Instant):
        self.of, self.at, self.steps = of, replace(at, offset=None), 0

    def solve(self, theta: Sequence[Tensor], guess: Tensor) -> Tensor:
        """Return X (M, n). Collective."""
        values = {STATE: guess.clone()}
        self.steps = self.of.of(theta[1:]).solve(STATE, values, replace(self.at, offset=theta[0]))
        return values[STATE]

    def tested(self, u: Tensor, theta: Sequence[Tensor], lam: Tensor) -> Tensor:
        """Return λᵀF of the members of this rank."""
        stage, rows = self._stage(theta)
        return stage.tested(u, rows, lam)

    def adjoint(self, u: Tensor, theta: Sequence[Tensor], v: Tensor) -> Tensor:
        """Return λ (M, n). Collective."""
        stage, rows = self._stage(theta)
        return self._regular(stage, stage.adjoint(u, rows, v))

    def tangent(self, u: Tensor, theta: Sequence[Tensor], b: Tensor) -> Tensor:
        """Return du (M, n). Collective."""
        stage, rows = self._stage(theta)
        return self._regular(stage, stage.tangent(u, rows, b))

    def _regular(self, stage: Stage, found: Tensor) -> Tensor:
        if self.of.comm.allreduce(stage.tally.singular):
            raise SolveError(f"gradient failed at t = {self.at.t:.6g} s: the matrix of a member is singular")
        return found

    def _stage(self, theta: Sequence[Tensor]) -> tuple[Stage, list[Tensor]]:
        return Stage(self.of.of(theta[1:]), self.at), [theta[0]]
