"""What a cycle moves per second, over what memory moves.

A smoother of degree k goes through a level's matrix k times after and k - 1 times before, as it starts from
zero there; the residual makes 2 k. Of vectors, numbers per row, where one that is written without being read
counts twice, since its place is fetched: that first step reads b and 1/a_ii and writes x and d, 6; another
one reads x, sums of rows, b, 1/a_ii and d, and writes d and x, 8, as many as the first one after, which does
not read d; the residual reads x, sums, b and aggregates, 4; the correction reads aggregates and x, and writes
x, 3; together 16 k + 5. Of a coarse vector, which is cleared, added to and read, 4. On the finest level
numbers of eight bytes become some of four, and again eight, 36 bytes per row.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from plexus.bench.linear.grids import COMM, Found
from plexus.bench.linear.methods import methods
from plexus.bench.linear.solves import prepared
from plexus.bench.linear.systems import of_problem
from plexus.bench.table import Row

if TYPE_CHECKING:
    from plexus.solvers.multigrid.hierarchy import Hierarchy

CELLS = 128
SHARE, WORDS, ROUNDS = 0.6, 1 << 25, 7
"""Share of the memory's speed to be reached, numbers in an array that measures it, how often both in turn."""


def speed() -> Found:
    """Return the bytes per second of a cycle over those of c ← a + 1, medians of rounds in turn."""
    system = of_problem(COMM, "obstacles", cells=[CELLS] * 3)
    ksp = prepared(system, next(m for m in methods(system.mat) if m.name == "v"))
    hierarchy = ksp.getPC().getPythonContext().hierarchy
    b, x = np.random.default_rng(1).standard_normal((2, len(system.rhs.getArray())))
    c, a = np.zeros(WORDS), np.ones(WORDS)
    rounds = [
        (_seconds(lambda: hierarchy.cycle.apply(b, x)), _seconds(lambda: np.add(a, 1.0, out=c)))
        for _ in range(ROUNDS)
    ]
    cycle, stream = (median(times) for times in zip(*rounds[1:], strict=True))
    ksp.destroy()
    rates = moved(hierarchy) / cycle, 3 * a.nbytes / stream
    share = rates[0] / rates[1]
    told = f"{rates[0] / 1e9:.1f} of {rates[1] / 1e9:.1f} GB/s, {1e3 * cycle:.0f} ms a cycle"
    item = f"cycle v on {CELLS}³: share of the memory's speed"
    return [], [Row(item, share, "x", SHARE, share >= SHARE, told)]


def moved(hierarchy: Hierarchy) -> float:
    """Return the bytes that a V-cycle moves."""
    k, levels = hierarchy.settings.degree, hierarchy.levels[:-1]
    total = 36.0 * levels[0].n
    for level in levels:
        rows = level.packed
        assert rows is not None
        matrix = rows.start[-1] * rows.val.itemsize + rows.where[-1] * 4 + 16 * len(rows.start)
        total += 2 * k * matrix + rows.sums.itemsize * ((16 * k + 5) * level.n + 4 * level.coarse)
    return float(total)


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
