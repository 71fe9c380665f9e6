"""Growing problems: iterations, seconds and memory against size and ranks; precision."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from plexus.bench.job import timed
from plexus.bench.linear.grids import Found
from plexus.bench.linear.methods import SLOW, Method, methods
from plexus.bench.linear.report import lines, of, times
from plexus.bench.linear.solves import LIMIT, Solve, table, tried
from plexus.bench.linear.systems import of_problem
from plexus.bench.table import Row
from plexus.launch import environment, prefix
from plexus.runtime.interpreter import python

COMM = MPI.COMM_SELF
PROBLEMS: dict[str, tuple[dict[str, Any], float]] = {
    "obstacles": ({}, 0.35),
    "channels": ({"seed": 2001}, 0.45),
}
"""Member -> parameters, and how much of the best library's time ours may take."""
SIZES = (32, 64, 128)
LARGE, SPARED = 100, {"obstacles": ("PyAMG",), "channels": SLOW}
"""Iterations after which a method stops on the largest grid; those that would take minutes there."""
RANKS, TIMED = (1, 2, 4), 2
"""Numbers of ranks, and the one on which seconds are compared."""
TIGHT, EQUAL = 1e-12, 1e-8
"""Tolerance of solutions that are compared between ranks, and their difference relative to the largest."""


def size() -> Found:
    """Return two problems on growing grids, with memory beyond the matrix."""
    solves: list[Solve] = []
    rows: list[Row] = []
    for name, (given, bound) in PROBLEMS.items():
        mine: list[Solve] = []
        for n in SIZES:
            system = of_problem(COMM, name, (n, "cells per axis"), cells=[n] * 3, **given)
            large = n == SIZES[-1]
            chosen = [m for m in methods(system.mat) if not (large and m.name in SPARED[name])]
            found = table(system, chosen, limit=LARGE if large else LIMIT)
            rows += lines(f"{name} {n}³", found)
            mine += found
        label = f"{name} {n}³"
        rows += [times(label, found, bound), _growth(name, mine), *_memory(label, found)]
        solves += mine
    return solves, rows


def _growth(name: str, solves: list[Solve]) -> Row:
    counts = [s.iterations for s in of(solves, "two_step")]
    more, told = counts[-1] - counts[0], " ".join(map(str, counts))
    bound = 1 if name == "obstacles" else None
    holds = None if bound is None else more <= bound and max(counts) <= 7
    return Row(f"{name}: growth of two_step, 32³ to 128³", more, "iterations", bound, holds, told)


def _memory(label: str, found: list[Solve]) -> Iterator[Row]:
    """Yield the bytes beyond the matrix over those of BoomerAMG."""
    (mine,), theirs = of(found, "two_step"), of(found, "BoomerAMG ours")
    if mine.held is None or not theirs or theirs[0].held is None:
        return
    ratio = mine.held / theirs[0].held
    told = f"{mine.held / 2**20:.0f} MiB, BoomerAMG ours {theirs[0].held / 2**20:.0f} MiB, at most at a time"
    yield Row(f"{label}: memory over BoomerAMG ours", ratio, "x", 0.6, ratio <= 0.6, told)


def ranks() -> Found:
    """Return the same systems on 1, 2 and 4 ranks."""
    solves: list[Solve] = []
    rows: list[Row] = []
    answers: dict[str, dict[int, np.ndarray]] = {name: {} for name in PROBLEMS}
    for number in RANKS:
        with tempfile.TemporaryDirectory() as folder:
            start = prefix(number) if number > 1 else []
            timed([*start, *python("plexus.bench.linear.job", folder)], environment())
            for name in PROBLEMS:
                told = json.loads((Path(folder) / f"{name}.json").read_text())
                answers[name][number] = np.load(Path(folder) / f"{name}.npy")
                found = [Solve(**one) for one in told]
                rows += lines(f"{name} 64³, {number} ranks", found)
                if number == TIMED:
                    rows.append(times(f"{name} 64³, {TIMED} ranks", found, PROBLEMS[name][1]))
                solves += found
    for name in PROBLEMS:
        rows += _alike(name, [s for s in solves if s.system.startswith(name)], answers[name])
    return solves, rows


def _alike(name: str, solves: list[Solve], answers: dict[int, np.ndarray]) -> Iterator[Row]:
    """Yield how far counts and solutions on several ranks are from those on one."""
    counts = [s.iterations for s in of(solves, "two_step")]
    apart = max(abs(c - counts[0]) for c in counts)
    told = " ".join(map(str, counts))
    yield Row(f"{name}: counts of two_step on 1, 2, 4 ranks", apart, "iterations", 1, apart <= 1, told)
    first = answers[RANKS[0]]
    worst = max(float(np.abs(x - first).max()) for x in answers.values()) / float(np.abs(first).max())
    yield Row(f"{name}: difference of x, rtol {TIGHT:g}", worst, "", EQUAL, worst <= EQUAL)


def precision() -> Found:
    """Return cycles in single and double precision, solved to 1e-10."""
    solves: list[Solve] = []
    rows: list[Row] = []
    given: list[tuple[str, dict[str, Any], float]] = [
        ("obstacles", {}, 1.0),
        ("channels", {"seed": 2001, "contrast": 1e4}, 1e4),
        ("channels", {"seed": 2001, "contrast": 6e5}, 6e5),
        ("channels", {"seed": 2001, "contrast": 1e7}, 1e7),
    ]
    for name, block, contrast in given:
        system = of_problem(COMM, name, cells=[64] * 3, **block)
        every = methods(system.mat, {"two_step double": {"precision": "double"}})
        chosen = [m for m in every if m.name not in SLOW or contrast == 1]
        mine = next(m for m in chosen if m.name == "two_step")
        flexible = {**mine.options, "ksp_type": "fcg", "ksp_fcg_mmax": 1}
        found = [tried(system, m, rtol=1e-10) for m in (*chosen, Method("two_step fcg", flexible))]
        label = f"{name} 64³, contrast {contrast:g}, to 1e-10"
        rows += [*lines(label, found), *_rounding(label, found, contrast)]
        solves += found
    return solves, rows


def _rounding(label: str, found: list[Solve], contrast: float) -> Iterator[Row]:
    """Yield what single precision costs; at a contrast of 1e7 no method gets to 1e-10 in double either."""
    mild, far = contrast <= 1e4, contrast > 1e6
    (single,), (double,), (flexible,) = (of(found, f"two_step{n}") for n in ("", " double", " fcg"))
    more = single.iterations - double.iterations
    yield Row(
        f"{label}: single less double", more, "iterations", 1 if mild else None, more <= 1 if mild else None
    )
    least = min(single.left, flexible.left)
    told = f"cg {single.left:.2e}, fcg {flexible.left:.2e}, double {double.left:.2e}"
    bound, holds = (None, None) if far else (1e-10, least <= 1.0001e-10)
    yield Row(f"{label}: true residual in single", least, "", bound, holds, told)
