"""Conservation laws on cells that steppers march with their graph: rates, and implicit solves as nodes of it.

Upwinding and limiters have kinks: rates are smooth in pieces, and at a kink the gradient is that of one side.
Controls may be tensors. Of the gradient with respect to one that all ranks share, every rank has the part of
its cells; gradients of means cross ranks with the exchange of layers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from plexus.coupling.cellfields import CellFields
from plexus.coupling.ontensors import OnTensors
from plexus.coupling.smooth import Smooth
from plexus.devices.tensors import rows_of
from plexus.solvers.adjoint.linearised import Linearised
from plexus.solvers.adjoint.node import solution
from plexus.spaces.controls import Sampled

if TYPE_CHECKING:
    from plexus.coupling.volumes import VolumeSystem
    from plexus.models.volumes.scheme import Scheme
    from plexus.protocols import Instant

Tensor = torch.Tensor


class TracedCells(OnTensors):
    """`plexus.protocols.Explicit` and `plexus.protocols.Implicit` for gradients. Construction is collective.

    Parameters
    ----------
    system
        Cells, scheme and solvers.
    own
        Own values of controls by name, tensors; those that are left out keep their present values.
    """

    def __init__(self, system: VolumeSystem, own: Mapping[str, Tensor]):
        super().__init__(system)
        self.constants = system.controls.values | system.controls.spread(own)
        self.scheme = self.of(list(self.constants.values()))
        self.linearised = {name: Linearised(solver) for name, solver in system.solvers.items()}

    def of(self, values: Sequence[Tensor]) -> Scheme:
        """Return the scheme with these values of the controls."""
        named = dict(zip(self.constants, values, strict=True))
        return self.system.scheme.reading(Sampled(self.system.controls, named))

    def start(self) -> dict[str, Tensor]:
        """Return the means with which a run begins. Collective."""
        found: dict[str, Tensor] = self.system.opening(self.scheme)
        return found

    def evaluation(self, constants: Mapping[str, float]) -> SmoothCells:
        """Return the fields of a state of tensors."""
        return SmoothCells(self.system, constants, self.scheme.places.given)

    def rates(self, values: Mapping[str, Tensor], t: float) -> dict[str, Tensor]:
        """Return the rates of the cell means. Collective."""
        if self.scheme.compiled is not None:
            return self.system.parted(self.scheme.rates(self.system.stack(values), t))
        return self.system.parted(_Rates.apply(self, t, self.system.stack(values), *self.constants.values()))

    def longest(self, values: Mapping[str, Tensor], t: float) -> float:
        """Return the longest step [s] at Courant number one. Collective."""
        with torch.no_grad():
            return self.scheme.longest(self.system.stack(values), t)

    @contextmanager
    def scheme_in_use(self, scheme: Scheme) -> Iterator[None]:
        """Let the forms of implicit solves use a scheme."""
        forms: list[Any] = [solver.form for solver in self.system.solvers.values()]
        for form in forms:
            form.scheme = scheme
        try:
            yield
        finally:
            for form in forms:
                form.scheme = self.system.scheme

    def solve(self, name: str, values: dict[str, Tensor], at: Instant, held: bool = False) -> int:
        """Put the solution of u_t = R(u, t) for one unknown into ``values``; return iterations. Collective.

        The other unknowns are given. Where a deck repeats the solves until they agree, the gradient is that
        of the passes that were taken.

        Raises
        ------
        SolveError, GuardError
            If a solve fails; in a gradient, if the true residual of a transposed one is not small.
        """
        others = {other: u for other, u in values.items() if other != name}
        stage = _Traced(self, name, at, list(others))
        guess = values[name]
        offset = torch.zeros_like(guess) if at.offset is None else at.offset
        values[name] = solution(stage, guess, offset, *others.values(), *self.constants.values())
        return stage.iterations


class SmoothCells(Smooth, CellFields):
    """Fields on cells whose numbers have gradients."""


class _Rates(torch.autograd.Function):
    """Rates at one instant, of which the means are kept: fluxes are many times as much, and quickly made."""

    @staticmethod
    def forward(ctx: Any, of: TracedCells, t: float, u: Tensor, *constants: Tensor) -> Tensor:
        ctx.of, ctx.t = of, t
        ctx.save_for_backward(u, *constants)
        return of.scheme.rates(u, t)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        asked, again = ctx.needs_input_grad[2:], torch.is_grad_enabled()
        # a derivative of this gradient goes on through the means themselves
        known = (
            ctx.saved_tensors
            if again
            else [a.detach().requires_grad_(need) for a, need in zip(ctx.saved_tensors, asked, strict=True)]
        )
        with torch.enable_grad():
            rates = ctx.of.of(known[1:]).rates(known[0], ctx.t)
        wanted = [a for a, need in zip(known, asked, strict=True) if need]
        # ranks go back through the same exchanges, whatever their cells read
        found = iter(
            torch.autograd.grad(
                rates, wanted, g, create_graph=again, allow_unused=True, materialize_grads=True
            )
        )
        return None, None, *(next(found) if need else None for need in asked)


class _Traced:
    """One implicit solve (`plexus.protocols.adjoints.Solvable`); θ: offset, other unknowns, controls."""

    def __init__(self, of: TracedCells, name: str, at: Instant, others: Sequence[str]):
        self.of, self.name, self.others, self.iterations = of, name, others, 0
        self.at, self.system, self.solver = replace(at, offset=None), of.system, of.system.solvers[name]

    def solve(self, theta: Sequence[Tensor], guess: Tensor) -> Tensor:
        """Return u (N, m, *cells). Collective."""
        offset, known, scheme = self._parts(theta)
        values = known | {self.name: guess.clone()}
        with self.of.scheme_in_use(scheme):
            self.iterations = self.system.solve(self.name, values, replace(self.at, offset=offset))
        return values[self.name]

    def tested(self, u: Tensor, theta: Sequence[Tensor], lam: Tensor) -> Tensor:
        """Return Σ λ·(shift u + offset - R), this rank's part. Collective."""
        offset, known, scheme = self._parts(theta)
        # tangents derive this twice
        rates = scheme.in_torch().rates(self.system.stack(known | {self.name: u}), self.at.t)
        return (lam * (self.at.shift * u + offset - self.system.parted(rates)[self.name])).sum()

    def adjoint(self, u: Tensor, theta: Sequence[Tensor], v: Tensor) -> Tensor:
        """Return λ (N, m, *cells). Collective."""
        return self._linear(u, theta, v, self.of.linearised[self.name].transposed)

    def tangent(self, u: Tensor, theta: Sequence[Tensor], b: Tensor) -> Tensor:
        """Return du (N, m, *cells). Collective."""
        return self._linear(u, theta, b, self.of.linearised[self.name].solved)

    def _linear(
        self, u: Tensor, theta: Sequence[Tensor], right: Tensor, solve: Callable[[np.ndarray], np.ndarray]
    ) -> Tensor:
        offset, known, scheme = self._parts(theta)
        n, form, at = self.system.cells.n_owned, self.solver.form, self.at
        rows = rows_of(u, n)
        with self.of.scheme_in_use(scheme):
            form.jacobian(at.t, rows, at.shift * rows + rows_of(offset, n), at.shift, known)
        return self.system.tensor(solve(rows_of(right, n).ravel()).reshape(rows.shape))

    def _parts(self, theta: Sequence[Tensor]) -> tuple[Tensor, dict[str, Tensor], Scheme]:
        """Return offset, other unknowns and the scheme."""
        offset, *rest = theta
        k = len(self.others)
        return offset, dict(zip(self.others, rest[:k], strict=True)), self.of.of(rest[k:])
