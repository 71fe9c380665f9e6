"""Matrices of finite elements: tetrahedra that stand irregularly, bricks of elasticity, with and without jumps."""

from __future__ import annotations

from statistics import mean

from mpi4py import MPI

from plexus.bench.linear.grids import Found
from plexus.bench.linear.methods import methods
from plexus.bench.linear.report import lines, most, of
from plexus.bench.linear.solves import Solve, table
from plexus.bench.linear.systems import bricks, of_deck, tetrahedra
from plexus.bench.table import Row

COMM = MPI.COMM_SELF
RIVALS = ("GAMG", "GAMG 0.02", "GAMG ours")
REPETITIONS = 3


def unstructured() -> Found:
    """Return diffusion on tetrahedra of degree 1, coefficients of one or with jumps of 1e4."""
    solves: list[Solve] = []
    rows: list[Row] = []
    for cells, jump in ((25, 1.0), (25, 1e4), (37, 1e4), (57, 1e4)):
        label = f"tetrahedra {(cells + 1) ** 3:,}, jumps {jump:g}"
        system = of_deck(COMM, label, tetrahedra(cells, jump), ((cells + 1) ** 3, "unknowns"))
        found = table(system, methods(system.mat), REPETITIONS)
        rows += [*lines(label, found), _least(label, found, (*RIVALS, "BoomerAMG ours"))]
        solves += found
    return solves, rows


def elasticity() -> Found:
    """Return bricks of one material, and of two whose moduli differ by 1e3."""
    solves: list[Solve] = []
    rows: list[Row] = []
    for cells, jump, bound in ((15, 1.0, 11), (15, 1e3, 15), (22, 1.0, 11), (22, 1e3, 15)):
        label = f"elasticity {3 * (cells + 1) ** 3:,}, jumps {jump:g}"
        system = of_deck(COMM, label, bricks(cells, jump), (3 * (cells + 1) ** 3, "unknowns"))
        found = table(system, methods(system.mat), REPETITIONS)
        rows += [*lines(label, found), _least(label, found, RIVALS), most(label, found, bound)]
        solves += found
    return solves, rows


def _least(label: str, found: list[Solve], rivals: tuple[str, ...]) -> Row:
    """Return the iterations of two_step, held to those of the best rival."""
    counts = {name: mean(s.iterations for s in of(found, name)) for name in rivals if of(found, name)}
    best = min(counts, key=lambda name: counts[name])
    mine = mean(s.iterations for s in of(found, "two_step"))
    return Row(
        f"{label}: two_step against the best of rivals", mine, "", counts[best], mine <= counts[best], best
    )
