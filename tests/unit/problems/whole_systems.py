"""Whole systems of problems on one rank, as dense or PETSc matrices, and counts of solvers on these."""

from __future__ import annotations

from typing import Any

import numpy as np
from petsc4py import PETSc

from plexus import registry
from plexus.mesh.alone import Alone


def problem(name: str, **given: Any) -> Any:
    """Return a member of kind ``problem``."""
    component = registry.component("problem", name)
    params = component.params.model_validate(given)
    params._type = name
    return component.cls(params)


def whole(made: Any, t: float = 0.0) -> tuple[Any, Any]:
    """Return layout and system on one rank."""
    layout = made.layout(Alone())
    return layout, made.system(layout, t)


def dense(system: Any) -> np.ndarray:
    """Return the matrix (n, n)."""
    n = len(system.pointer) - 1
    found = np.zeros((n, n))
    found[np.repeat(np.arange(n), np.diff(system.pointer)), system.columns] = system.values
    return found


def count(system: Any, preconditioner: str, rtol: float = 1e-6) -> int:
    """Return the iterations of CG for the true residual, from zero."""
    n, index = len(system.rhs), PETSc.IntType
    csr = system.pointer.astype(index), system.columns.astype(index), system.values
    mat = PETSc.Mat().createAIJ((n, n), csr=csr, comm=PETSc.COMM_SELF)
    mat.setOption(PETSc.Mat.Option.SPD, True)
    x, b = mat.createVecs()
    b.setArray(system.rhs)
    ksp = PETSc.KSP().create(PETSc.COMM_SELF)
    ksp.setOperators(mat)
    ksp.setType("cg")
    ksp.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    ksp.setTolerances(rtol=rtol, max_it=5000)
    ksp.getPC().setType(preconditioner)
    ksp.solve(b, x)
    assert ksp.getConvergedReason() > 0
    found: int = ksp.getIterationNumber()
    for made in (ksp, mat, x, b):
        made.destroy()
    return found
