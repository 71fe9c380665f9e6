"""Flow of a suspension whose stress depends on the strain rate that it drives.

    e = P(s_0 + β/2 (c e + X(e))),   X(e) = conj(e + ζ f_1) f_2

P is the map from the spin of a stress to the strain rate e of its Stokes flow, -1/4 of a projection, and s_0
what does not depend on e. Because |f_2| <= c, the eigenvalues of -P β/2 (c e + f_2 conj(e)) lie in
[0, β c/4]. Moving their middle for c = 1 to the left side,

    (1 + β/8) e_new = P(s_0 + β/2 (c e + X(e)) - β/2 e),

contracts at the rate (β/8)/(1 + β/8) or better, for any β, where the plain iteration needs β < 4.

``lagged`` takes one such sweep from the strain rate of the last two evaluations, continued linearly in time,
so that the order in time stays two (stable for β < 4); steppers of higher order need one of the others.
``fixed_point`` repeats the sweep. ``krylov`` solves by conjugate gradients: the operator
1 - P β/2 (c + f_2 conj) is symmetric, positive definite, of condition <= 1 + β/4, and contains the Stokes
inverse, which is its preconditioner. These are torch operations and not PETSc's: fields stay on their
device, and the solve is differentiable (its adjoint is the same solve). In a batch each member stops at its
own tolerance, as if it were alone, and waits for the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch

from plexus.models.suspension import pointwise
from plexus.models.suspension.medium import Medium
from plexus.models.suspension.pointwise import Second
from plexus.models.suspension.stokes import Flow, Stokes
from plexus.solvers.adjoint.node import solution
from plexus.solvers.batched.cg import SelfAdjoint

Tensor = torch.Tensor
Method = Literal["lagged", "fixed_point", "krylov"]
START = (1e-13, 200)
"""Tolerance and limit of the sweeps where no strain rate is known yet."""


class Memory(NamedTuple):
    """Strain rate and half vorticity of the last two evaluations with their times."""

    e: Tensor
    w: Tensor
    t: float
    e_before: Tensor
    w_before: Tensor
    t_before: float

    def at(self, t: float) -> tuple[Tensor, Tensor]:
        """Return both, continued linearly to time ``t``, at most twice the last interval beyond it."""
        if self.t == self.t_before or t == self.t:
            return self.e, self.w
        s = max(-1.0, min(2.0, (t - self.t) / (self.t - self.t_before)))
        return torch.lerp(self.e_before, self.e, 1 + s), torch.lerp(self.w_before, self.w, 1 + s)

    def then(self, t: float, flow: Flow) -> Memory:
        """Return the memory after an evaluation; what belongs to this or a later time is replaced."""
        e, w = flow.e, flow.w
        if t > self.t:
            return Memory(e, w, t, self.e, self.w, self.t)
        if t > self.t_before:
            return Memory(e, w, t, self.e_before, self.w_before, self.t_before)
        return Memory(e, w, t, e, w, t)

    def packed(self) -> Tensor:
        """Return all as one real tensor, (..., 8, nx, ny), as checkpoints hold it.

        The parts are Re e, Im e, W and t of the last evaluation, then those of the one before it.
        """
        one = torch.ones_like(self.w)
        last = [self.e.real, self.e.imag, self.w, self.t * one]
        before = [self.e_before.real, self.e_before.imag, self.w_before, self.t_before * one]
        return torch.stack([*last, *before], -3)

    @classmethod
    def unpacked(cls, parts: Tensor) -> Memory:
        """Return the memory that `packed` gave ``parts`` for."""
        real, imag, w, t, real_before, imag_before, w_before, t_before = parts.unbind(-3)
        last = torch.complex(real, imag), w, float(t.flatten()[0])
        return cls(*last, torch.complex(real_before, imag_before), w_before, float(t_before.flatten()[0]))


def remember(memory: Memory | None, t: float, flow: Flow) -> Memory:
    """Return the memory after an evaluation at time ``t``."""
    return memory.then(t, flow) if memory else Memory(flow.e, flow.w, t, flow.e, flow.w, t)


class Load(NamedTuple):
    """The stress as a function of the strain rate."""

    f: Tensor
    """Moments f_0, f_1, ..., (..., M, nx, ny)."""
    medium: Medium
    second: Callable[[Tensor], Second]
    """Strain rate -> second moment; a closure may read the strain rate."""

    def stress(self, e: Tensor, second: Second) -> Tensor:
        """Return the spin of the whole stress at strain rate ``e``."""
        return pointwise.stress(self.f, e, second, self.medium)

    def sweep(self, e: Tensor, second: Second) -> Tensor:
        """Return the parts of the stress that one sweep from ``e`` takes."""
        return pointwise.sweep(self.f, e, second, self.medium)


class Solved(NamedTuple):
    """A flow with the second moment that drove it, the sweeps it took and the last relative change of e."""

    flow: Flow
    second: Second
    sweeps: int
    change: float


@dataclass(frozen=True)
class Passive:
    """How the strain rate in the stress is found."""

    stokes: Stokes
    method: Method = "lagged"
    tolerance: float = 1e-10
    limit: int = 50

    def solve(self, load: Load, guess: Tensor | None) -> Solved:
        """Return the flow of a load; ``guess`` is a strain rate close to it, or None. Collective."""
        if guess is None:
            guess = torch.zeros_like(load.f[..., 1, :, :])
            solved = self._iterate(load, guess, *START)
            return self._krylov(load, solved.flow.e) if self.method == "krylov" else solved
        if self.method == "lagged":
            second = load.second(guess)
            return Solved(
                self.stokes.flow(self.stokes.stream_of(load.sweep(guess, second))), second, 1, float("nan")
            )
        if self.method == "krylov":
            return self._krylov(load, guess)
        return self._iterate(load, guess, self.tolerance, self.limit)

    def _iterate(self, load: Load, e: Tensor, tolerance: float, limit: int) -> Solved:
        """Return the flow after sweeps until e changes by less than ``tolerance`` relative to itself."""
        tolerance, sweeps, last = max(tolerance, self._rounding), 0, None
        change = torch.full(e.shape[:-2], float("inf"), dtype=torch.float64, device=e.device)
        going = change > tolerance
        while bool(going.any()) and sweeps < limit:
            second = load.second(e)
            stream = self.stokes.stream_of(load.sweep(e, second))
            new = self.stokes.strain(stream)
            size = self._norm(new)
            moved = torch.where(size > 0, self._norm(new - e) / size, 0.0)
            if last is not None and not bool(going.all()):
                stream, second = _where(going, stream, last[0]), second.where(going, last[1])
                new, moved = _where(going, new, e), moved.where(going, change)
            e, change, last, sweeps = new, moved, (stream, second), sweeps + 1
            going = going & (change > tolerance)
        assert last is not None
        return Solved(self.stokes.flow(last[0]), last[1], sweeps, float(change.amax()))

    def _krylov(self, load: Load, guess: Tensor) -> Solved:
        """Return the flow with the second moment of the guess, by conjugate gradients."""
        second, beta = load.second(guess), load.medium.beta

        def apply(e: Tensor, c: Tensor, *others: Tensor) -> Tensor:
            rest = iter(others)
            half = (next(rest) if isinstance(beta, Tensor) else beta) / 2
            passive = c * e if second.f2 is None else c * e + next(rest) * e.conj()
            return e - self._strain(half * passive)

        rhs = self._strain(load.stress(torch.zeros_like(guess), second))
        # gradients are those of strain rates of flows, which all residuals are
        tolerance = max(self.tolerance, self._rounding)
        problem = SelfAdjoint(apply, self._inner, tolerance, self.limit, onto=self._flows, marks=False)
        others = [u for u in (beta, second.f2) if isinstance(u, Tensor)]
        e = solution(problem, guess, rhs, load.f[..., 0, :, :].real, *others)
        change = float(problem.residual.amax())
        flow = self.stokes.flow(self.stokes.stream(load.stress(e, second)))
        return Solved(flow, second, problem.iterations, change)

    def _flows(self, e: Tensor) -> Tensor:
        """Return the part of a field that is the strain rate of a flow."""
        return -4 * self._strain(e)

    @property
    def _rounding(self) -> float:
        """What single precision cannot go below; double goes below any tolerance that makes sense."""
        return 2e-6 if self.stokes.space.dtype == torch.float32 else 0.0

    def _strain(self, stress: Tensor) -> Tensor:
        return self.stokes.strain(self.stokes.stream(stress))

    def _inner(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the mean of Re(conj(a) b) over the box for each member, double."""
        return self.stokes.space.mean((a.detach().conj() * b.detach()).real).double()

    def _norm(self, a: Tensor) -> Tensor:
        return self._inner(a, a).sqrt()


def _where(members: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Return the fields (..., nx, ny) of some members from one tensor and of the others from another."""
    return torch.where(members[..., None, None], new, old)
