"""A user's own matrix: all methods beside each other, and a sentence on which one to take."""

from __future__ import annotations

from pathlib import Path

from mpi4py import MPI

from plexus.bench.linear.grids import Found
from plexus.bench.linear.methods import methods
from plexus.bench.linear.report import lines
from plexus.bench.linear.solves import RTOL, Solve, table
from plexus.bench.linear.systems import of_problem
from plexus.bench.table import Row
from plexus.errors import InputError

SLACK = 2.0
"""Residual over the tolerance up to which a method has solved the system."""


def of_file(path: str) -> Found:
    """Return the table of a matrix in MatrixMarket's or PETSc's format, b standard normal.

    Raises
    ------
    InputError
        If the file cannot be read, or its matrix is not symmetric.
    """
    try:
        system = of_problem(MPI.COMM_SELF, "file", file=path)
    except InputError as error:
        raise InputError(str(error).removeprefix("physics.problem.file: ")) from None
    found = table(system, methods(system.mat), 3)
    return found, [*lines(Path(path).name, found), recommended(found)]


def recommended(found: list[Solve]) -> Row:
    """Return the method with the least seconds of those that solved the system, and what else to know."""
    good = [s for s in found if s.converged and s.left <= SLACK * RTOL]
    if not good:
        return Row("take a factorisation (mumps): no method here solved it", None, "s")
    best = min(good, key=lambda s: s.setup + s.solve)
    often = min(good, key=lambda s: s.solve)
    told = f"set-up {best.setup:.3g} s and {best.iterations} iterations in {best.solve:.3g} s"
    if often is not best:
        told += f"; for many right-hand sides of one matrix {often.method}, {often.solve:.3g} s each"
    return Row(f"take {best.method}", best.setup + best.solve, "s", peer=told)
