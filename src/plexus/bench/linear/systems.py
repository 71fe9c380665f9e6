"""The systems that the tables are made of: members of kind ``problem``, and matrices of finite elements."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from petsc4py import PETSc

from plexus import registry
from plexus.errors import InputError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


@dataclass(frozen=True)
class System:
    """A x = b with A symmetric and positive definite.

    Attributes
    ----------
    name : what it is.
    mat, rhs : A, with near null space and places where they are known, and b.
    at, along : what the figures are drawn against, and its name; None for nothing.
    kept : what must live as long as the matrix.
    """

    name: str
    mat: PETSc.Mat
    rhs: PETSc.Vec
    at: float | None = None
    along: str = ""
    kept: Any = field(default=None, repr=False)


At = tuple[float | None, str]
NOTHING: At = (None, "")


def of_problem(comm: Comm, name: str, at: At = NOTHING, t: float = 0.0, **given: Any) -> System:
    """Return the system of a member of kind ``problem`` at time ``t`` [s]. Collective.

    Raises
    ------
    InputError
        If its matrix is not symmetric.
    """
    from plexus.models.algebraic.form import AlgebraicForm

    member = registry.component("problem", name)
    problem = member.cls(member.params.model_validate(given))
    form = AlgebraicForm(problem, problem.layout(comm), t)
    if not form.symmetric:
        size, i, j = form.worst
        raise InputError(
            f"entries ({i + 1}, {j + 1}) and ({j + 1}, {i + 1}) differ by {size:.3g} of the largest ones of "
            "these rows, and the tables are those of CG, which needs a symmetric matrix; a file with one "
            "half of the entries says `symmetric` in its first line"
        )
    mat = form.matrix.mat
    mat.setOption(PETSc.Mat.Option.SPD, True)
    mat.setNearNullSpace(form.near_nullspace())
    rhs = mat.createVecLeft()
    rhs.setArray(form.system.rhs)
    return System(_words(name, given), mat, rhs, *at, form)


def _words(name: str, given: Mapping[str, Any]) -> str:
    """Return a problem in words."""
    cells, rest = given.get("cells"), {k: v for k, v in given.items() if k not in ("cells", "file")}
    size = "" if cells is None else f" {cells[0]}^{len(cells)}"
    return f"{given.get('file', name)}{size}" + "".join(f", {k} {v}" for k, v in rest.items())


def of_deck(comm: Comm, name: str, deck: Mapping[str, Any], at: At = NOTHING) -> System:
    """Return the linear system that a deck of one linear equation solves. Collective."""
    from plexus.compose import compose
    from plexus.deck.load import load
    from plexus.runtime import context

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deck.yaml"
        path.write_text(yaml.safe_dump({"plexus": 1, **deck}))
        run = compose(load(path), context.create(comm, path.parent))
        run.observers = []
        run.execute()
    (solver,) = run.system.solvers.values()
    mat = solver.current.snes.getKSP().getOperators()[0]
    mat.setOption(PETSc.Mat.Option.SPD, True)
    # what is prescribed is zero, so that the load is the image of the solution
    rhs = mat.createVecLeft()
    mat.mult(solver.x, rhs)
    return System(name, mat, rhs, *at, run)


def tetrahedra(cells: int, jump: float = 1.0, file: str | None = None) -> dict[str, Any]:
    """Return the deck of diffusion on tetrahedra, with jumps between 4³ cubes.

    They are those of ``file``, or of a lattice of n³ cubes whose nodes are moved, no two in the same way.
    """
    waves = zip("xyz", ((91, 57, 73), (67, 83, 61), (79, 53, 97)), strict=True)
    moved = [f"{a} + 0.12/{cells}*sin(pi*{a})*sin({k}*x + {m}*y + {n}*z)" for a, (k, m, n) in waves]
    lattice = {"type": "box", "cell": "tetrahedron", "cells": [cells] * 3, "map": moved}
    odd = "sin(4*pi*x)*sin(4*pi*y)*sin(4*pi*z) < 0"
    return {
        "mesh": {"type": "gmsh", "file": file} if file else lattice,
        "physics": {"type": "diffusion", "coefficient": f"where({odd}, {jump}, 1)", "source": 1},
        "boundary": [{"on": "bottom", "u": 0}],
        "solver": {"u": {"ksp": "cg", "rtol": 1e-6, "preconditioner": "hypre"}},
    }


def bricks(cells: int, jump: float = 1.0) -> dict[str, Any]:
    """Return the deck of elasticity on hexahedra, one side held, another under pressure, with jumps."""
    odd = "sin(2*pi*x)*sin(2*pi*y)*sin(2*pi*z) < 0"
    material = {"young_modulus": f"where({odd}, {jump}, 1)", "poisson_ratio": 0.3}
    return {
        "mesh": {"type": "box", "cell": "hexahedron", "cells": [cells] * 3},
        "physics": {"type": "elasticity", "material": material},
        "boundary": [{"on": "left", "displacement": [0, 0, 0]}, {"on": "right", "pressure": 1}],
        "solver": {"displacement": {"ksp": "cg", "rtol": 1e-6, "preconditioner": "gamg"}},
    }
