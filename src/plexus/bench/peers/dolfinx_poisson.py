"""The Poisson problem of ``plexus bench poisson`` with DOLFINx, start to end; needs no plexus.

Arguments: cubes per side, then PETSc options as name=value. Prints the unknowns, iterations, mean of the
solution, and seconds per phase (slowest rank) as JSON.
"""

import json
import sys
import time

import dolfinx
import numpy as np
import ufl
from dolfinx import fem, mesh
from dolfinx.fem import petsc
from mpi4py import MPI
from petsc4py import PETSc


def held(space, domain):
    """Return the condition u = 0 on the faces x = 0 and x = 1."""
    facets = mesh.locate_entities_boundary(domain, 2, lambda x: np.isclose(x[0], 0) | np.isclose(x[0], 1))
    return fem.dirichletbc(0.0, fem.locate_dofs_topological(space, 2, facets), space)


def assemble(domain):
    """Return the matrix and the right-hand side of -∇²u = 1."""
    space = fem.FunctionSpace(domain, ("Lagrange", 1))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    a, L = fem.form(ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx), fem.form(1.0 * v * ufl.dx(domain))
    conditions = [held(space, domain)]
    A = petsc.assemble_matrix(a, conditions)
    A.assemble()
    b = petsc.assemble_vector(L)
    petsc.apply_lifting(b, [a], [conditions])
    b.ghostUpdate(addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)
    petsc.set_bc(b, conditions)
    return A, b


def solve(A, b, options):
    """Return the solution and the number of CG iterations."""
    database = PETSc.Options()
    for name, value in (o.split("=") for o in options):
        database[name] = value
    ksp = PETSc.KSP().create(A.comm)
    ksp.setOperators(A)
    ksp.setType("cg")
    ksp.setTolerances(rtol=1e-8)
    ksp.setFromOptions()
    x = b.duplicate()
    ksp.solve(b, x)
    assert ksp.getConvergedReason() > 0
    return x, ksp.getIterationNumber()


def main():
    """Run all phases and print the facts."""
    comm, phases, clock = MPI.COMM_WORLD, {}, time.perf_counter()
    domain = mesh.create_box(
        comm, [np.zeros(3), np.ones(3)], [int(sys.argv[1])] * 3, mesh.CellType.tetrahedron
    )
    phases["mesh"] = time.perf_counter() - clock
    clock = time.perf_counter()
    A, b = assemble(domain)
    phases["assembly"] = time.perf_counter() - clock
    clock = time.perf_counter()
    x, iterations = solve(A, b, sys.argv[2:])
    phases["solve"] = time.perf_counter() - clock
    slowest = {name: {"longest": comm.allreduce(s, MPI.MAX)} for name, s in phases.items()}
    facts = {"unknowns": A.size[0], "iterations": iterations, "mean": x.sum() / A.size[0], "phases": slowest}
    if comm.rank == 0:
        print(json.dumps(facts | {"version": dolfinx.__version__}))


main()
