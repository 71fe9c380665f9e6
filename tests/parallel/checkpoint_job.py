"""Writes or reads a checkpoint of known fields on any number of ranks: ``write|read|loop FILE``.

``loop`` writes checkpoints into a folder until it is killed.
"""

import os
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI

from plexus.io import checkpoint

COMM = MPI.COMM_WORLD


def fields(cells: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return names of the owned nodes of a quadratic space on a periodic box, and two fields."""
    from plexus.io.piece import node_ids
    from plexus.mesh.lattice import build_box
    from plexus.spaces.lagrange import Space

    ticks = [np.linspace(0, 1, cells + 1)] * 3
    space = Space(build_box(COMM, "tetrahedron", 1, ticks, (True, False, False)), 2)
    x = space.points[: space.n_owned]
    scalar = np.sin(2 * np.pi * x[:, :1]) + x[:, 1:2] ** 2
    return node_ids(space)[: space.n_owned], {"scalar": scalar, "vector": np.hstack([scalar, x[:, 1:] ** 3])}


def write(path: Path, cells: int, step: int = 7) -> None:
    """Write a checkpoint."""
    ids, arrays = fields(cells)
    content = checkpoint.Content({"step": step}, arrays, dict.fromkeys(arrays, "nodes"))
    checkpoint.write(path, COMM, {"nodes": ids}, content)


def read(path: Path, cells: int) -> None:
    """Read it and compare; ends all ranks with code 1 if a value differs."""
    ids, arrays = fields(cells)
    found = checkpoint.read(path, COMM, {"nodes": ids})
    worst = max(float(np.abs(found.arrays[name] - a).max(initial=0.0)) for name, a in arrays.items())
    if found.facts != {"step": 7} or not worst <= 1e-14:
        print(f"rank {COMM.rank}: off by {worst}")
        COMM.Abort(1)


def loop(folder: Path) -> None:
    """Write checkpoints 1, 2, 3, … of 8 MB until somebody kills a rank."""
    rows = np.arange(COMM.rank * 100_000, (COMM.rank + 1) * 100_000)
    (folder / f"pid_{COMM.rank}").write_text(str(os.getpid()))
    step = 0
    while True:
        step += 1
        content = checkpoint.Content(
            {"step": step}, {"a": np.full((100_000, 8), float(step))}, {"a": "nodes"}
        )
        checkpoint.write(checkpoint.name(folder, step), COMM, {"nodes": rows}, content)
        checkpoint.prune(folder, COMM, 2)


if __name__ == "__main__":
    task, place = sys.argv[1], Path(sys.argv[2])
    {"write": lambda: write(place, 3), "read": lambda: read(place, 3), "loop": lambda: loop(place)}[task]()
