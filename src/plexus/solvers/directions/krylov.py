"""Conjugate directions: whatever a preconditioner answers is made A-orthogonal to the last m directions.

    q = B r,   q ← q - Σ_j (q·A p_j / a_j) p_j,   t = q·r / q·A q,   x ← x + t q,   r = b - A x

with the last directions p_j and a_j = p_j·A p_j; all coefficients are those of the first q, and the
residual is computed anew. For B = 1 these are conjugate gradients, with any B flexible ones of KSPFCG
(standard truncation). Where q·A q ≤ 0 or q·r = 0, or where q is no number, the residual takes the place of
q, which is counted; if r·A r ≤ 0 too, A is not positive definite. What the matrix has as its null space is
removed from q.

Source: A. Kaneda et al., ICML (2023), doi:10.48550/arXiv.2205.10763; what is done where q will not do is
ours.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from petsc4py import PETSc

STORED = 2
"""Directions that are kept, unless ``-ksp_plexus_directions`` says otherwise."""


class Direction(NamedTuple):
    """A direction p, A p, and p·A p."""

    p: PETSc.Vec
    image: PETSc.Vec
    energy: float


class ConjugateDirections:
    """The method as petsc4py calls it, under the KSP type ``python``.

    Attributes
    ----------
    stored : number of directions that are kept.
    replaced : how often the residual took the place of an answer, in all solves.
    detail : why the latest solve has failed, where the matrix is to blame.
    """

    def __init__(self, stored: int = STORED):
        self.stored, self.replaced, self.detail = stored, 0, ""
        self._vectors: list[PETSc.Vec] = []

    def setFromOptions(self, ksp: PETSc.KSP) -> None:
        """Read ``-ksp_plexus_directions``."""
        database = PETSc.Options(ksp.getOptionsPrefix())
        self.stored = max(database.getInt("ksp_plexus_directions", self.stored), 0)

    def setUp(self, ksp: PETSc.KSP) -> None:
        """Make the vectors. Collective."""
        self.destroy(ksp)
        x = ksp.getOperators()[0].createVecRight()
        self._vectors = [x, *(x.duplicate() for _ in range(2 * self.stored + 2))]

    def destroy(self, ksp: PETSc.KSP) -> None:
        """Free the vectors. Collective."""
        while self._vectors:
            self._vectors.pop().destroy()

    def solve(self, ksp: PETSc.KSP, b: PETSc.Vec, x: PETSc.Vec) -> None:
        """Solve A x = b from x, or from zero. Collective."""
        a, self.detail = ksp.getOperators()[0], ""
        r, *rest = self._vectors
        pairs = list(zip(rest[::2], rest[1::2], strict=True))
        if not ksp.getInitialGuessNonzero():
            x.zeroEntries()
        kept: deque[Direction] = deque(maxlen=self.stored)
        for number in range(ksp.max_it + 1):
            a.mult(x, r)
            r.aypx(-1.0, b)
            if _ends(ksp, number, r.norm()):
                return
            # the pair of the oldest direction, which is not kept any more
            found = self._direction(ksp, r, *pairs[number % len(pairs)], kept)
            if not found.energy > 0:
                self._refuse(ksp, found.energy, number)
                return
            x.axpy(found.p.dot(r) / found.energy, found.p)
            kept.append(found)

    def _direction(
        self, ksp: PETSc.KSP, r: PETSc.Vec, q: PETSc.Vec, w: PETSc.Vec, kept: Iterable[Direction]
    ) -> Direction:
        """Return the next direction, in q and w. Collective."""
        a = ksp.getOperators()[0]
        ksp.getPC().apply(r, q)
        found = _conjugate(a, q, w, kept)
        along = q.dot(r)
        if found.energy > 0 and along != 0 and np.isfinite(along * found.energy):
            return found
        self.replaced += 1
        r.copy(q)
        return _conjugate(a, q, w, kept)

    def _refuse(self, ksp: PETSc.KSP, energy: float, number: int) -> None:
        """End a solve in which even the residual is no direction."""
        reason = PETSc.KSP.ConvergedReason
        finite = np.isfinite(energy)
        ksp.setConvergedReason(reason.DIVERGED_INDEFINITE_MAT if finite else reason.DIVERGED_NANORINF)
        if finite:
            self.detail = f"not positive definite: qᵀA q = {energy:.3g} at iteration {number}"


def _conjugate(a: PETSc.Mat, q: PETSc.Vec, w: PETSc.Vec, kept: Iterable[Direction]) -> Direction:
    """Return q made A-orthogonal to the directions that are kept. Collective."""
    free = a.getNullSpace()
    if free.handle:
        free.remove(q)
    shares = [(q.dot(old.image) / old.energy, old.p) for old in kept]
    for share, p in shares:
        q.axpy(-share, p)
    a.mult(q, w)
    return Direction(q, w, q.dot(w))


def _ends(ksp: PETSc.KSP, number: int, norm: float) -> bool:
    """Tell PETSc a residual, and return whether it ends the solve. Collective."""
    ksp.its, ksp.norm = number, norm
    ksp.logConvergenceHistory(norm)
    ksp.monitor(number, norm)
    ksp.setConvergedReason(ksp.callConvergenceTest(number, norm))
    if ksp.reason == 0 and number >= ksp.max_it:
        ksp.setConvergedReason(PETSc.KSP.ConvergedReason.DIVERGED_MAX_IT)
    return bool(ksp.reason)


def install(ksp: PETSc.KSP, owner: object) -> ConjugateDirections:
    """Make ``ksp`` this method as long as ``owner`` lives; PETSc ends later, when Python cannot be called."""
    method = ConjugateDirections()
    ksp.setType("python")
    ksp.setPythonContext(method)
    weakref.finalize(owner, _leave, ksp)
    return method


def _leave(ksp: PETSc.KSP) -> None:
    """Make a solver that is still there one of PETSc's own."""
    if ksp.handle:
        ksp.setType("preonly")
