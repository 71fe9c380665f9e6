"""Conjugate gradients for batches of fields: A x = b, A symmetric and positive definite in an inner product.

    a = |r|²/(p·Ap),   x += a p,   r' = r - a Ap,   p' = r' + |r'|²/|r|² p

A is given by what it does to x; members of a batch lead, and each takes steps of no length once |r| is below
the tolerance times |b|. Fields may be complex, with Re(ā b) for products, and spread over ranks. M. R.
Hestenes, E. Stiefel, J. Res. Natl. Bur. Stand. 49 (1952) 409-436, doi:10.6028/jres.049.044.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from plexus.solvers.batched.base import Outcome, Tally

Tensor = torch.Tensor
Inner = Callable[[Tensor, Tensor], Tensor]
"""Two batches (..., *field) -> their products (...), double, the same on every rank."""


def cg(
    operator: Callable[[Tensor], Tensor], rhs: Tensor, x: Tensor, inner: Inner, tolerance: float, limit: int
) -> tuple[Outcome, Tensor]:
    """Return the solution from the guess ``x``, and |r|/|b| of each member. Collective where A is.

    A member has failed if it is not there after ``limit`` iterations, or if A is not positive.
    """
    r = rhs - operator(x)
    p, rr = r, inner(r, r)
    size = inner(rhs, rhs)
    least, count = tolerance**2 * size, torch.zeros_like(rr, dtype=torch.int64)
    going = rr > least
    for _ in range(limit):
        if not bool(going.any()):
            break
        ap = operator(p)
        bent = inner(p, ap)
        # a member that is there, or has no minimum, takes steps of no length
        going = going & (bent > 0)
        a = _spread(torch.where(going, rr / bent, 0.0), x)
        x, r = x + a * p, r - a * ap
        rr, before, count = inner(r, r).where(going, rr), rr, count + going
        p = r + _spread(torch.where(going, rr / before, 0.0), x) * p
        going = going & (rr > least)
    residual = torch.where(size > 0, rr / size, 0.0).sqrt()
    return Outcome(x, count, ~(rr <= least)), residual


def dots(a: Tensor, b: Tensor) -> Tensor:
    """Return Σ Re(ā b) of each member (M, ...), for batches that are whole on this rank."""
    return (a.conj() * b).real.flatten(1).sum(-1).double()


class SelfAdjoint:
    """A(θ) x = b for fields (..., *field); its θ are b and the constants of A.

    A `plexus.protocols.adjoints.Solvable`, whose adjoint is the same solve.

    Parameters
    ----------
    apply
        x and the constants -> A x.
    inner
        The product in which A is symmetric.
    tolerance, limit
        Those of `cg`.
    onto
        Projection onto the fields that b and A x are part of, where these are not all.
    marks
        Whether members that failed are NaN in the solution; otherwise who solves looks at `residual`.

    Attributes
    ----------
    residual : |r|/|b| of each member in the last solve.
    iterations : the most of any member in the last solve.
    """

    def __init__(
        self,
        apply: Callable[..., Tensor],
        inner: Inner = dots,
        tolerance: float = 1e-10,
        limit: int = 1000,
        onto: Callable[[Tensor], Tensor] | None = None,
        marks: bool = True,
    ):
        self.apply, self.inner, self.onto, self.marks = apply, inner, onto, marks
        self.tolerance, self.limit = tolerance, limit
        self.tally = Tally()
        self.iterations, self.residual = 0, torch.zeros(())

    def solve(self, theta: Sequence[Tensor], guess: Tensor) -> Tensor:
        """Return x; members that failed are NaN if they are marked. Collective where A is."""
        rhs, *constants = theta
        outcome, self.residual = self._cg(rhs, guess, constants)
        self.iterations = int(outcome.iterations.amax())
        self.tally.add(outcome)
        return outcome.u.where(~_spread(outcome.failed, guess), torch.nan) if self.marks else outcome.u

    def tested(self, u: Tensor, theta: Sequence[Tensor], lam: Tensor) -> Tensor:
        """Return Re λ̄ (A x - b), this rank's part."""
        rhs, *constants = theta
        # λ is zero for members that failed, and A is linear
        defect = self.apply(torch.where(torch.isfinite(u), u, 0.0), *constants) - rhs
        return (lam.conj() * defect).real.sum()

    def adjoint(self, u: Tensor, theta: Sequence[Tensor], v: Tensor) -> Tensor:
        """Return λ, zero for members that failed. Collective where A is."""
        v = torch.where(torch.isfinite(u), v, 0.0)
        v = v if self.onto is None else self.onto(v)
        outcome, _ = self._cg(v, torch.zeros_like(v), theta[1:])
        lost = _spread(outcome.failed, v) if self.marks else torch.zeros_like(v.real, dtype=torch.bool)
        self.tally.singular += int(outcome.failed.sum())
        return torch.where(lost, 0.0, outcome.u)

    # A is its own adjoint
    tangent = adjoint

    def _cg(self, rhs: Tensor, x: Tensor, constants: Sequence[Tensor]) -> tuple[Outcome, Tensor]:
        def operator(x: Tensor) -> Tensor:
            return self.apply(x, *constants)

        return cg(operator, rhs, x, self.inner, self.tolerance, self.limit)


def _spread(numbers: Tensor, like: Tensor) -> Tensor:
    """Return a number for each member (...) such that it broadcasts to its fields, in their precision."""
    wide = numbers[(..., *(None,) * (like.ndim - numbers.ndim))]
    return wide if wide.dtype == torch.bool else wide.to(like.real.dtype)
