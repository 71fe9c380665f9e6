"""What a solve did: iterations, residuals, outcome; kept per solve for the series file and the summary."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from petsc4py import PETSc

UNSOLVED = "DIVERGED_PREONLY"
"""Reason, named like PETSc's, of a single application of a preconditioner that is no inverse."""
MEANING = {
    "DIVERGED_ITS": "the iteration limit was reached",
    "DIVERGED_MAX_IT": "the iteration limit was reached",
    "DIVERGED_DTOL": "the residual grew",
    "DIVERGED_BREAKDOWN": "the Krylov method broke down",
    "DIVERGED_BREAKDOWN_BICG": "the Krylov method broke down",
    "DIVERGED_NONSYMMETRIC": "the matrix or preconditioner is not symmetric",
    "DIVERGED_INDEFINITE_PC": "the preconditioner is not positive definite",
    "DIVERGED_INDEFINITE_MAT": "the matrix is not positive definite",
    "DIVERGED_NANORINF": "a value is not finite",
    "DIVERGED_PCSETUP_FAILED": "the preconditioner could not be set up",
    "DIVERGED_FUNCTION_DOMAIN": "the residual cannot be evaluated",
    "DIVERGED_LINEAR_SOLVE": "the linear solve failed",
    "DIVERGED_FNORM_NAN": "the residual is not finite",
    "DIVERGED_TRUE_RESIDUAL": "the residual computed anew is above twice the tolerance",
    "DIVERGED_LINE_SEARCH": "the line search found no decrease",
    "DIVERGED_LOCAL_MIN": "a local minimum of the residual is not a solution",
    UNSOLVED: "one application of the preconditioner is no solution; name a Krylov method, or mumps with "
    "null_pivots where motions are free",
    "DIVERGED_TR_DELTA": "the trust region became too small",
}
"""PETSc's reasons in a person's words."""
INSIDE = "in the linear solve"
"""End of the reason of a Newton step whose linear solve failed."""


@lru_cache
def _reasons(kind: type) -> dict[int, str]:
    """Return number -> name of a class of converged reasons; the shortest of several names."""
    # PETSc keeps old names beside new ones; the shortest comes last and wins
    pairs = [(v, k) for k, v in vars(kind).items() if not k.startswith("_") and isinstance(v, int)]
    return {v: k for v, k in sorted(pairs, key=lambda p: -len(p[1]))}


def reason_name(solver: PETSc.SNES | PETSc.KSP) -> str:
    """Return PETSc's name of the reason why a solver stopped."""
    reason = solver.getConvergedReason()
    return _reasons(type(solver).ConvergedReason).get(reason, str(reason))


@dataclass
class SolveInfo:
    """The record of one solve.

    Attributes
    ----------
    name : the unknown.
    t : time at which it was solved [s].
    converged : whether the tolerances were met.
    reason : PETSc's reason by name.
    newton, iterations : Newton steps and the sum of their Krylov iterations.
    residuals : Newton residual norms, the first one before the solve.
    krylov : Krylov residual norms of all Newton steps, one after the other.
    fallback : number of the fallback that gave the answer; 0 is the block of the deck itself.
    applications : calls of a preconditioner in Python, None where PETSc has its own.
    setup_seconds : time that its set-up took on this rank [s].
    replaced : directions in whose place the residual was taken, None but for `conjugate_directions`.
    detail : what else is known of a failure, empty for most.
    """

    name: str
    t: float
    converged: bool
    reason: str
    newton: int
    iterations: int
    residuals: np.ndarray = field(default_factory=lambda: np.empty(0))
    krylov: np.ndarray = field(default_factory=lambda: np.empty(0))
    fallback: int = 0
    applications: int | None = None
    setup_seconds: float = 0.0
    replaced: int | None = None
    detail: str = ""

    @property
    def linear_failure(self) -> bool:
        """Whether it was the linear solve that failed."""
        return not self.converged and self.reason.endswith(INSIDE)

    def then(self, later: SolveInfo) -> SolveInfo:
        """Return the record of this solve and one of what it has left."""
        sums: dict[str, Any] = {}
        for name in ("iterations", "applications", "setup_seconds", "replaced"):
            one, other = getattr(self, name), getattr(later, name)
            sums[name] = None if one is None else one + other
        for name in ("residuals", "krylov"):
            sums[name] = np.concatenate([getattr(self, name), getattr(later, name)])
        return replace(later, **sums)

    def sentence(self) -> str:
        """Return the outcome in one line."""
        why = MEANING.get(self.reason.split(" ")[0], "")
        # a linear solve has two Newton norms only; its Krylov norms tell more
        norms = self.residuals if self.newton > 1 or len(self.krylov) < 2 else self.krylov
        drop = f", residual {norms[0]:.3g} -> {norms[-1]:.3g}" if len(norms) else ""
        why = ": ".join(filter(None, [why, self.detail]))
        steps = f"{self.newton} Newton steps, " if self.newton > 1 else ""
        return (
            f"{self.name} at t = {self.t:.6g} s: {self.reason}{': ' + why if why else ''} "
            f"({steps}{self.iterations} Krylov iterations{drop})"
        )


@dataclass
class Tally:
    """Sums over all solves of one unknown, for ``summary.json``."""

    solves: int = 0
    iterations: int = 0
    most: int = 0
    newton: int = 0
    fallbacks: int = 0
    applications: int | None = None
    setup_seconds: float = 0.0
    replaced: int | None = None

    def add(self, info: SolveInfo) -> None:
        """Count one successful solve."""
        self.solves += 1
        self.iterations += info.iterations
        self.most = max(self.most, info.iterations)
        self.newton += info.newton
        self.fallbacks += info.fallback > 0
        if info.applications is not None:
            self.applications = (self.applications or 0) + info.applications
            self.setup_seconds += info.setup_seconds
        if info.replaced is not None:
            self.replaced = (self.replaced or 0) + info.replaced

    def summary(self) -> dict[str, float]:
        """Return the counts by name; ``mean`` and ``max`` are Krylov iterations per solve.

        ``applications`` and ``setup_seconds`` are there where a preconditioner in Python was, ``replaced``
        where directions were conjugated (`plexus.solvers.directions.krylov`).
        """
        counts: dict[str, float] = {
            "solves": self.solves,
            "total": self.iterations,
            "mean": self.iterations / self.solves if self.solves else 0.0,
            "max": self.most,
            "newton": self.newton,
            "fallbacks": self.fallbacks,
        }
        if self.applications is not None:
            counts |= {"applications": self.applications, "setup_seconds": self.setup_seconds}
        if self.replaced is not None:
            counts["replaced"] = self.replaced
        return counts
