"""A user's own matrix: all methods beside each other, and a sentence on which one to take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from plexus.bench.linear.grids import Found
from plexus.bench.linear.methods import methods
from plexus.bench.linear.report import FOLDER, lines
from plexus.bench.linear.solves import RTOL, Solve, table
from plexus.bench.linear.systems import System, of_problem
from plexus.bench.table import Row
from plexus.errors import InputError

SLACK = 2.0
"""Residual over the tolerance up to which a method has solved the system."""
DECKS = (".yaml", ".yml")
ROUNDING = 1e-12
"""Row sum, relative to the diagonal entry, that is none."""


def of_file(path: str) -> Found:
    """Return the table of a matrix in MatrixMarket's or PETSc's format, b standard normal; or of a deck's.

    Raises
    ------
    InputError
        If the file cannot be read, if its matrix is not symmetric, or if a deck has none.
    """
    system, name = _of_deck(path) if path.endswith(DECKS) else _of_matrix(path), Path(path).name
    system = replace(system, name=name)
    free = _balanced(system)
    found = table(system, methods(system.mat), 3)
    for one in found:
        one.converged &= one.left <= SLACK * RTOL
    return found, [*lines(name, found), *free, _drawn(name), recommended(found)]


def _of_matrix(path: str) -> System:
    try:
        return of_problem(MPI.COMM_SELF, "file", file=path)
    except InputError as error:
        raise InputError(str(error).removeprefix("physics.problem.file: ")) from None


def _of_deck(path: str) -> System:
    """Return the system of a deck with ``physics: {type: matrix}``, at time zero."""
    from plexus.deck.load import load

    problem = getattr(load(Path(path)).physics, "problem", None)
    if problem is None:
        raise InputError(
            f"{path}: its matrix is that of elements; decks of `physics: {{type: matrix}}` serve here"
        )
    return of_problem(
        MPI.COMM_SELF, problem.type, **problem.model_dump(exclude={"type"}, exclude_defaults=True)
    )


def _balanced(system: System) -> list[Row]:
    """Tell PETSc of a matrix whose rows add up to zero, and take the mean off b; return what to say of it."""
    ones, image, diagonal = (system.mat.createVecRight() for _ in range(3))
    ones.set(1.0)
    system.mat.mult(ones, image)
    system.mat.getDiagonal(diagonal)
    sums, sizes = image.getArray(readonly=True), diagonal.getArray(readonly=True)
    if np.any(np.abs(sums) > ROUNDING * np.abs(sizes)):
        return []
    space = PETSc.NullSpace().create(constant=True, comm=system.mat.comm)
    system.mat.setNullSpace(space)
    space.remove(system.rhs)
    return [Row("the matrix is singular: its rows add up to zero", None, "", peer="the mean was taken off b")]


def _drawn(name: str) -> Row:
    return Row("pictures", None, "", peer=f"plexus-post linear {FOLDER / name}.json")


def recommended(found: list[Solve]) -> Row:
    """Return the method with the least seconds of those that solved the system, and what else to know."""
    good = [s for s in found if s.converged and s.left <= SLACK * RTOL]
    if not good:
        return Row(
            "no method here solved it", None, "s",
            peer="is the matrix positive definite? a run tells; mumps factorises what is not",
        )  # fmt: skip
    best = min(good, key=lambda s: s.setup + s.solve)
    often = min(good, key=lambda s: s.solve)
    told = f"set-up {best.setup:.3g} s and {best.iterations} iterations in {best.solve:.3g} s"
    if often is not best:
        told += f"; for many right-hand sides of one matrix {often.method}, {often.solve:.3g} s each"
    return Row(f"take {best.method}", best.setup + best.solve, "s", peer=told)
