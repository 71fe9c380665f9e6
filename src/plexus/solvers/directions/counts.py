"""Iterations of conjugate directions on a problem, on this process alone: what a training is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from petsc4py import PETSc

from plexus.solvers.directions.context import Directions
from plexus.solvers.directions.krylov import install
from plexus.solvers.multigrid import POSITIONS

if TYPE_CHECKING:
    from plexus.solvers.multigrid.trials import Whole


def counts(system: Whole, network: Any, rtol: float, most: int) -> tuple[int, float]:
    """Return iterations to a residual of ``rtol`` ‖b‖, and the share of answers that would not do.

    Parameters
    ----------
    system
        On a grid, all on this process.
    network
        None for conjugate gradients.
    rtol, most
        Reduction of the residual, and iterations at most.
    """
    matrix, cells, b, *_ = system
    assert cells is not None
    mat = PETSc.Mat().createAIJ(matrix.n, csr=tuple(matrix.rows), comm=PETSc.COMM_SELF)
    places = PETSc.Vec().createWithArray(cells.ravel().astype(float), comm=PETSc.COMM_SELF)
    places.setBlockSize(cells.shape[1])
    mat.compose(POSITIONS, places)
    rhs = PETSc.Vec().createWithArray(b, comm=PETSc.COMM_SELF)
    ksp, x = PETSc.KSP().create(PETSc.COMM_SELF), rhs.duplicate()
    context = Directions("", network=network)
    install(ksp, context)
    ksp.setOperators(mat)
    ksp.setTolerances(rtol=rtol, max_it=most)
    ksp.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    if network is None:
        ksp.getPC().setType("none")
    else:
        ksp.getPC().setType("python")
        ksp.getPC().setPythonContext(context)
    ksp.solve(rhs, x)
    found = ksp.getIterationNumber()
    for made in (ksp, x, rhs, places, mat):
        made.destroy()
    return found, context.part.counts()["mean_outside"]
