"""Whole Poisson runs beside DOLFINx: mesh, assembly, CG with BoomerAMG to 1e-8, no output.

-∇²u = 1 on the unit cube of n³·6 tetrahedra, u = 0 at x = 0 and x = 1. Both sides are started as a user
starts them, interpreter included, take turns, use the same options for CG and BoomerAMG, and must agree on
the number of unknowns. The second table compares what the second rank brings to assembly, set-up and solve.
"""

from __future__ import annotations

import tempfile
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

from plexus.bench.assembly import interpreter, peer_environment
from plexus.bench.job import Job, plexus, script
from plexus.bench.table import Row
from plexus.deck.blocks import SolverBlock
from plexus.solvers.defaults import preset
from plexus.solvers.target import Target

SIZES = (40, 60)
RANKS = (1, 2)
SOLVER = {"ksp": "cg", "rtol": 1e-8, "preconditioner": {"type": "hypre"}}
OURS = ("spaces", "assembly", "matrix", "residual", "jacobian", "preconditioner", "krylov", "solve")
THEIRS = ("assembly", "solve")
"""Phases of assembly, set-up and solve; DOLFINx's assembly numbers unknowns and makes the pattern."""


def deck(cells: int) -> dict[str, Any]:
    """Return the deck of one run."""
    return {
        "plexus": 1,
        "mesh": {"type": "box", "cell": "tetrahedron", "cells": [cells] * 3},
        "physics": {"type": "diffusion", "coefficient": 1, "source": 1},
        "boundary": [{"on": ["left", "right"], "u": 0}],
        "solver": {"u": SOLVER},
    }


def settings() -> dict[str, Any]:
    """Return the PETSc options of our Krylov solve, which the peer takes too."""
    target = Target("u", 0, 3, 1, 1, rigid=False, linear=True, singular=False, packages=frozenset({"hypre"}))
    ours = preset(SolverBlock.model_validate(SOLVER), target)
    return {name: value for name, value in ours.items() if not name.startswith("snes_")}


def run(repetitions: int = 5) -> list[Row]:
    """Measure all sizes and numbers of ranks."""
    python = interpreter()
    rows: list[Row] = []
    for cells in SIZES:
        pairs = {ranks: measure(cells, ranks, repetitions, python) for ranks in RANKS}
        rows += [wall(cells, ranks, *pairs[ranks]) for ranks in RANKS]
        rows.append(speed_up(cells, pairs))
    return rows


def measure(cells: int, ranks: int, repetitions: int, python: str | None) -> tuple[list[Job], list[Job]]:
    """Return the jobs of both sides, run in turns after one uncounted turn."""
    peer = Path(str(files("plexus.bench") / "peers" / "dolfinx_poisson.py"))
    options = [f"{k}={v}" for k, v in settings().items()]
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        # the first turn compiles forms and kernels and warms the disk; it is not counted
        for _ in range(repetitions + 1):
            ours.append(plexus(deck(cells), ranks, Path(folder)))
            if python:
                theirs.append(script(python, peer, [str(cells), *options], ranks, peer_environment()))
    # the same system, or the comparison means nothing
    if python and ours[0].facts["unknowns"] != theirs[0].facts["unknowns"]:
        raise AssertionError("the two sides solve systems of different size")
    return ours[1:], theirs[1:]


def wall(cells: int, ranks: int, ours: list[Job], theirs: list[Job]) -> Row:
    """Compare the whole runs: our wall time over theirs."""
    item = f"whole run {cells}³, {ranks} rank{'s' * (ranks > 1)}"
    mine = median(j.seconds for j in ours)
    if not theirs:
        return Row(item, mine, "s", peer="DOLFINx is not installed (Debian: python3-dolfinx)")
    other = median(j.seconds for j in theirs)
    iterations = f"{ours[0].facts['solver']['u']['total']} and {theirs[0].facts['iterations']} iterations"
    text = f"Plexus {mine:.2f} s, DOLFINx {theirs[0].facts['version']} {other:.2f} s, {iterations}"
    return Row(item, mine / other, "x", 1.0, mine <= other, text)


def speed_up(cells: int, pairs: dict[int, tuple[list[Job], list[Job]]]) -> Row:
    """Compare what the second rank brings: time on 1 rank over time on 2 ranks, assembly to solve."""
    mine, other = ({r: median(j.phases(*names) for j in pairs[r][side]) for r in RANKS if pairs[r][side]}
                   for side, names in enumerate((OURS, THEIRS)))  # fmt: skip
    # speed-up = t(1 rank) / t(2 ranks), medians of both
    gain = mine[1] / mine[2]
    text = f"Plexus {mine[1]:.2f} -> {mine[2]:.2f} s"
    if not other:
        return Row(f"speed-up 1 to 2 ranks, {cells}³", gain, "x", peer=text)
    bound = other[1] / other[2]
    text += f", DOLFINx {other[1]:.2f} -> {other[2]:.2f} s"
    return Row(f"speed-up 1 to 2 ranks, {cells}³", gain, "x", bound, gain >= bound, text)
