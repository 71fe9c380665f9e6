"""Where a conjugate gradient meets a direction of no or negative curvature.

The steps of M. R. Hestenes, E. Stiefel, J. Res. Natl. Bur. Stand. 49 (1952) 409-436,
doi:10.6028/jres.049.044, with the preconditioner of a solver that has given up.
"""

from __future__ import annotations

from petsc4py import PETSc


def first_negative(ksp: PETSc.KSP, limit: int) -> str:
    """Return what is not positive definite, by the first number that shows it; empty where none does.

    Starts from zero for the right-hand side of the last solve, and takes ``limit`` steps and one more at
    most. Collective.
    """
    mat, pc = ksp.getOperators()[0], ksp.getPC()
    r = ksp.getRhs().copy()
    z, p, image = r.duplicate(), r.duplicate(), r.duplicate()
    found, before = "", 0.0
    for number in range(limit + 2):
        pc.apply(r, z)
        rz = r.dot(z)
        if rz <= 0:
            found = f"the preconditioner M is not positive definite: rᵀM r = {rz:.3g} at iteration {number}"
            break
        p.aypx(rz / before if number else 0.0, z)
        mat.mult(p, image)
        energy = p.dot(image)
        if energy <= 0:
            found = f"not positive definite: pᵀA p = {energy:.3g} at iteration {number}"
            break
        r.axpy(-rz / energy, image)
        before = rz
    for v in (r, z, p, image):
        v.destroy()
    return found
