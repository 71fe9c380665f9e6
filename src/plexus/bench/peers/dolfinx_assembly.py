"""Re-assembly with DOLFINx, one repetition per line on standard input; needs no plexus.

Protocol, one JSON object per line: ``{"case": name, "cells": n}`` builds the form on the unit cube of n³·6
tetrahedra and answers with version and matrix norm; ``{}`` assembles again and answers with the seconds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import dolfinx
import numpy as np
import ufl
from dolfinx import fem, mesh
from dolfinx.fem import petsc
from mpi4py import MPI

LAMBDA, MU = 0.6, 0.4


def bilinear(case: str, domain: mesh.Mesh) -> tuple[Any, Any]:
    """Return (space, form) of ``poisson1``, ``poisson2`` or ``elasticity1``."""
    name, degree = case[:-1], int(case[-1])
    make = fem.FunctionSpace if name == "poisson" else fem.VectorFunctionSpace
    space = make(domain, ("Lagrange", degree))
    u, v = ufl.TrialFunction(space), ufl.TestFunction(space)
    if name == "poisson":
        return space, ufl.inner(ufl.grad(u), ufl.grad(v)) * ufl.dx
    strain = ufl.sym(ufl.grad(u))
    stress = LAMBDA * ufl.tr(strain) * ufl.Identity(3) + 2 * MU * strain
    return space, ufl.inner(stress, ufl.grad(v)) * ufl.dx


def clamped(space: Any, domain: mesh.Mesh) -> Any:
    """Return the condition u = 0 on the face x = 0."""
    facets = mesh.locate_entities_boundary(domain, 2, lambda x: np.isclose(x[0], 0.0))
    dofs = fem.locate_dofs_topological(space, 2, facets)
    m = space.num_sub_spaces
    zero: Any = np.zeros(m) if m else 0.0
    return fem.dirichletbc(zero, dofs, space)


def build(case: str, cells: int) -> tuple[Callable[[], None], Any]:
    """Return the function that assembles again, and the matrix it fills."""
    domain = mesh.create_box(MPI.COMM_SELF, [np.zeros(3), np.ones(3)], [cells] * 3, mesh.CellType.tetrahedron)
    space, form = bilinear(case, domain)
    form = fem.form(form)
    conditions: Any = [clamped(space, domain)]
    A = petsc.create_matrix(form)

    def assemble() -> None:
        A.zeroEntries()
        petsc.assemble_matrix(A, form, conditions)
        A.assemble()

    return assemble, A


def answer(**what: object) -> None:
    """Send one line."""
    print(json.dumps(what), flush=True)


def main() -> None:
    """Serve requests until the input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        if request:
            assemble, A = build(request["case"], request["cells"])
            assemble()  # first touch of the matrix
            answer(version=dolfinx.__version__, norm=A.norm())
        else:
            start = time.perf_counter()
            assemble()
            answer(seconds=time.perf_counter() - start)


main()
