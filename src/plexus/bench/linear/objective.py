"""What a training makes small: residuals after a fixed number of steps, or the number of steps itself.

``plexus bench linear:objective`` trains for some minutes, and is made when it is asked for. Trainings start
from the same weights, see the same systems (16³ cells, seeds below 16) and take as many steps of the
optimiser. Tests are solves of larger systems, seeds from 2000 on, to several tolerances; what is compared is
the sum of their iterations. S. Arisaka, Q. Li, ICML (2023), doi:10.48550/arXiv.2206.08594.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from plexus.bench.linear.grids import Found
from plexus.bench.linear.transfer import CYCLE, TOGETHER, systems, trained
from plexus.bench.table import Row
from plexus.solvers.multigrid.hierarchy import Hierarchy, Settings
from plexus.solvers.multigrid.learned import Learned
from plexus.solvers.multigrid.network import Network
from plexus.solvers.multigrid.trials import Whole, hierarchy, iterations

TOLERANCES = (1e-4, 1e-6, 1e-8)
"""Of the residual relative to b: those of the tests, and those that counts are trained for."""
FIXED: dict[str, Any] = {"type": "conjugate_gradients", "iterations": 4, "batch": 2}
COUNT = FIXED | {"objective": "count", "iterations": 14, "tolerances": list(TOLERANCES)}
TRAININGS = {
    "fixed": [FIXED | {"steps": 120}],
    "count at the end": [FIXED | {"steps": 80}, COUNT | {"steps": 40}],
}
"""Name -> stages. The first one is that of `input_decks/training/learned_multigrid.yaml`."""
AGAIN = (0, 1)
"""Seeds of the trainings."""
CELLS, TESTS = 32, range(2000, 2008)


def objective() -> Found:
    """Return iterations to all tolerances with networks of each training, and without."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        jobs = {
            name: [
                pool.submit(trained, TOGETHER, seed, Path(folder) / f"{name} {seed}", stages)
                for seed in AGAIN
            ]
            for name, stages in TRAININGS.items()
        }
        networks = {name: [job.result() for job in several] for name, several in jobs.items()}
    return [], [row for family in TOGETHER for row in compared(family, networks)]


def compared(family: str, networks: Mapping[str, Sequence[Network]]) -> Iterator[Row]:
    """Yield the iterations on systems of a family, means over the seeds of a training."""
    without = np.zeros(len(TOLERANCES), int)
    totals = {name: np.zeros((len(several), len(TOLERANCES)), int) for name, several in networks.items()}
    for system in systems(family, CELLS, TESTS):
        skeleton = hierarchy(system, Settings(cycle=CYCLE))
        without += counts(system, skeleton)
        for name, several in networks.items():
            totals[name] += [counts(system, Learned(skeleton, network)) for network in several]
    label = f"{family} {CELLS}³, {len(TESTS)} systems, cycle {CYCLE}"
    yield Row(f"{label}: without networks", float(without.sum()), "iterations", peer=told(without))
    for name, each in totals.items():
        ratio = each.sum() / totals["fixed"].sum()
        words = f"{ratio:.3f} of fixed, {told(each.mean(axis=0))}, seeds {each.sum(axis=1)}"
        yield Row(f"{label}: {name}", each.sum() / len(each), "iterations", peer=words)


def counts(system: Whole, found: Hierarchy) -> list[int]:
    """Return the iterations to each tolerance."""
    return [iterations(system.matrix, system.places, system.rhs, found, rtol) for rtol in TOLERANCES]


def told(counted: np.ndarray) -> str:
    """Return the iterations to each tolerance in words."""
    return ", ".join(f"{n:g} to {rtol:g}" for n, rtol in zip(counted, TOLERANCES, strict=True))
