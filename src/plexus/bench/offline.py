"""`plexus reduce` at a million unknowns on two ranks: memory, and where the time goes.

The cube of `plexus.bench.rom`, one and a half of its cycles. Memory is the number of ranks times the largest
resident size of a rank, so it is an upper bound. ``plexus bench offline:31,24`` takes so many cells along an
edge, and so many steps.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import h5py

from plexus.bench.job import Job, plexus
from plexus.bench.rom import STEP, plain
from plexus.bench.table import Row

RANKS = 2
LIMIT = 16.0
"""Memory of both ranks together [GiB]."""
SOLVER = {
    "ksp": "gmres", "rtol": 1e-2, "preconditioner": "gamg", "snes_rtol": 1e-6,
    "options": {"snes_lag_preconditioner": -2},
}  # fmt: skip


def run(cells: str = "69", steps: str = "12") -> list[Row]:
    """Measure one reduction of 3·(cells + 1)³ unknowns after some steps."""
    deck = plain(int(cells), int(steps) * STEP, solver={"displacement": SOLVER}, reduce={})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = plexus(deck, RANKS, folder, "reduce")
        return rows(job, _largest(folder / "run" / "rom.h5"))


def rows(job: Job, largest: int) -> list[Row]:
    """Return memory and times of a finished reduction whose largest array has so many bytes on all ranks."""
    facts, made = job.facts, job.facts["reduced"]
    unknowns, gib = facts["unknowns"], RANKS * facts["peak_memory_mb"] / 1024
    steps = f"{made['snapshots']} steps and {made['responses']} responses"
    told = f"{made['modes']} modes of {steps}, {made['of_points']:,} points"
    return [
        Row("unknowns", unknowns, "", peer=told),
        Row("memory", gib, "GiB", LIMIT, gib <= LIMIT, f"{RANKS} ranks"),
        Row("memory per unknown", gib * 2**30 / unknowns, "B"),
        Row("largest array of the model, per rank", largest / RANKS / 2**30, "GiB"),
        Row("basis, responses and cubature", job.phases("reduction"), "s"),
        Row("wall time", job.seconds, "s"),
    ]


def _largest(path: Path) -> int:
    """Return the bytes of the largest array of a file."""
    sizes = [0]
    with h5py.File(path, "r") as file:
        file.visititems(lambda _, item: sizes.append(getattr(item, "nbytes", 0)))
    return max(sizes)
