"""Linear systems of the kind `problem`, and their solution by the multigrid as other programs have it."""

from mpi4py import MPI
from petsc4py import PETSc

from plexus import registry
from plexus.models.algebraic.matrix import SystemMatrix
from plexus.spaces.systems import SystemSpace

NAME = "plexus.solvers.learned.Multigrid"
CHANNELS = {"type": "channels", "cells": [16, 16, 16], "seed": 301}
OBSTACLES = {"type": "obstacles", "cells": [16, 16, 16], "layout": "many"}
BEAM = """
plexus: 1
mesh: {type: box, cell: hexahedron, cells: [12, 4, 4], size: [3 m, 1 m, 1 m]}
physics:
  type: elasticity
  geometry: solid
  material: {density: 1 kg/m^3, young_modulus: 1 Pa, poisson_ratio: 0.3}
boundary: [{on: left, displacement: [0, 0, 0]}, {on: right, traction: [0, 0, 1 Pa]}]
solver: {displacement: {ksp: cg, rtol: 1e-8, preconditioner: %s}}
"""
"""A beam that bends; ``%s`` is its preconditioner."""


def system(given, comm=MPI.COMM_WORLD):
    """Return matrix and right-hand side of a problem."""
    cls = registry.component("problem", given["type"])
    params = cls.params.model_validate({k: v for k, v in given.items() if k != "type"})
    problem = cls.cls(params)
    layout = problem.layout(comm)
    rows = problem.system(layout, 0.0)
    mat = SystemMatrix(SystemSpace(layout), rows, True).mat
    if rows.near is not None:
        near = [mat.createVecRight() for _ in rows.near.T]
        for vector, column in zip(near, rows.near.T, strict=True):
            vector.setArray(column)
        mat.setNearNullSpace(PETSc.NullSpace().create(vectors=near, comm=comm))
    b = mat.createVecLeft()
    b.setArray(rows.rhs)
    return mat, b


def solved(mat, b, rtol=1e-6, ksp="cg", name=NAME, **options):
    """Return the solver after its solve, and the solution on this rank."""
    database = PETSc.Options("test_multigrid_")
    given = {k if k.startswith("sub_") else f"pc_plexus_{k}": v for k, v in options.items()}
    given |= {"pc_type": "python", "pc_python_type": name}
    for key, value in given.items():
        database.setValue(key, value)
    solver = PETSc.KSP().create(mat.comm)
    solver.setOptionsPrefix("test_multigrid_")
    solver.setOperators(mat)
    solver.setType(ksp)
    solver.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    solver.setTolerances(rtol=rtol, atol=0.0, max_it=100)
    solver.setFromOptions()
    x = b.duplicate()
    try:
        solver.solve(b, x)
    finally:
        for key in given:
            database.delValue(key)
    return solver, x.getArray().copy()
