"""Matrices of finite elements: tetrahedra of diffusion, bricks of elasticity, with and without jumps."""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import mean

from mpi4py import MPI

from plexus.bench.assembly import interpreter, peer_environment
from plexus.bench.job import timed
from plexus.bench.linear.grids import Found
from plexus.bench.linear.methods import methods
from plexus.bench.linear.report import lines, most, of
from plexus.bench.linear.solves import Solve, table
from plexus.bench.linear.systems import bricks, of_deck, tetrahedra
from plexus.bench.table import Row

COMM = MPI.COMM_SELF
RIVALS = ("GAMG", "GAMG 0.02", "GAMG ours")
LIMIT = 500
"""Iterations after which a method is stopped."""
PEER = Path(__file__).parents[1] / "peers" / "scipy_delaunay.py"
CASES = (
    ("Delaunay", 25, 1.0), ("Delaunay", 25, 1e4), ("Delaunay", 37, 1e4), ("Delaunay", 57, 1e4),
    ("lattice", 25, 1.0), ("lattice", 37, 1e4),
)  # fmt: skip
"""Kind of mesh, cubes per side, and jump of the coefficient."""


def unstructured() -> Found:
    """Return diffusion on tetrahedra of degree 1, coefficients of one or with jumps of 1e4.

    Delaunay's need SciPy, in any interpreter.
    """
    solves: list[Solve] = []
    rows: list[Row] = []
    python = interpreter("scipy")
    if python is None:
        rows.append(
            Row("Delaunay tetrahedra", None, "", peer="SciPy is not installed (Debian: python3-scipy)")
        )
    with tempfile.TemporaryDirectory() as folder:
        for kind, cells, jump in CASES if python else [c for c in CASES if c[0] == "lattice"]:
            file = str(Path(folder) / f"{cells}.msh") if kind == "Delaunay" else None
            if python and file and not Path(file).is_file():
                timed([python, str(PEER), str(cells), file], peer_environment())
            nodes = (cells + 1) ** 3
            label = f"tetrahedra ({kind}) {nodes:,}, jumps {jump:g}"
            system = of_deck(COMM, label, tetrahedra(cells, jump, file), (nodes, "unknowns"))
            found = table(system, methods(system.mat), limit=LIMIT)
            rows += [*lines(label, found), _least(label, found, (*RIVALS, "BoomerAMG ours"), bool(file))]
            solves += found
    return solves, rows


def elasticity() -> Found:
    """Return bricks of one material, and of two whose moduli differ by 1e3."""
    solves: list[Solve] = []
    rows: list[Row] = []
    for cells, jump, bound in ((15, 1.0, 11), (15, 1e3, 15), (22, 1.0, 11), (22, 1e3, 15)):
        label = f"elasticity {3 * (cells + 1) ** 3:,}, jumps {jump:g}"
        system = of_deck(COMM, label, bricks(cells, jump), (3 * (cells + 1) ** 3, "unknowns"))
        found = table(system, methods(system.mat))
        rows += [*lines(label, found), _least(label, found, RIVALS), most(label, found, bound)]
        solves += found
    return solves, rows


def _least(label: str, found: list[Solve], rivals: tuple[str, ...], held: bool = True) -> Row:
    """Return the iterations of two_step, held to those of the best rival on meshes without a pattern."""
    counts = {name: mean(s.iterations for s in of(found, name)) for name in rivals if of(found, name)}
    best = min(counts, key=lambda name: counts[name])
    mine = mean(s.iterations for s in of(found, "two_step"))
    item = f"{label}: two_step against the best of rivals"
    bound, holds = (counts[best], mine <= counts[best]) if held else (None, None)
    return Row(item, mine, "", bound, holds, f"{best} {counts[best]:g}")
