"""Parallel output beside a bare collective h5py write of the same bytes.

Both sides write at least 1 GB from 2 ranks into the same folder, take turns, and end with the data forced
to the disk. Plexus' side is `plexus.io.vtkhdf.FieldsFile`: grid, then scalar, vector and tensor fields over
several outputs. The bare side is one dataset, each rank's half in one collective write per 256 MiB.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.bench.table import Row
from plexus.runtime.interpreter import python

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.io.piece import Piece

RANKS = 2
CELLS, OUTPUTS = 120, 5
FIELDS = {
    "temperature": ("K", "scalar", 1),
    "displacement": ("m", "vector", 3),
    "stress": ("Pa", "tensor", 9),
}
FOLDER = Path("runs/bench/output")


def run(cells: int = CELLS, repetitions: int = 5) -> list[Row]:
    """Measure on 2 ranks; the row holds the rate of Plexus over the bare rate."""
    from plexus.bench.job import timed
    from plexus.launch import environment, prefix

    FOLDER.mkdir(parents=True, exist_ok=True)
    command = [*prefix(RANKS), *python("plexus.bench.output", str(cells), str(repetitions))]
    try:
        _, text = timed(command, environment())
    finally:
        shutil.rmtree(FOLDER, ignore_errors=True)
    facts = json.loads(text.strip().splitlines()[-1])
    gigabytes = facts["bytes"] / 1e9
    ours, bare = median(facts["plexus"]), median(facts["bare"])
    rates = f"Plexus {gigabytes / ours:.2f} GB/s, bare {gigabytes / bare:.2f} GB/s"
    peer = f"{gigabytes:.2f} GB, {facts['mode']}: {rates}"
    return [Row(f"output from {RANKS} ranks", bare / ours, "x", 0.7, bare / ours >= 0.7, peer)]


def ranks(cells: int, repetitions: int) -> None:
    """Measure on the ranks of this job and print the facts as JSON. Collective."""
    from mpi4py import MPI

    from plexus.io.hdf5 import mode_text
    from plexus.io.piece import piece
    from plexus.registry import component
    from plexus.spaces.lagrange import Space

    comm = MPI.COMM_WORLD
    box = component("mesh", "box")
    mesh = box.cls(box.params.model_validate({"cell": "hexahedron", "cells": [cells] * 3})).build(comm)
    part = piece(Space(mesh, 1, 1))
    rng, n = np.random.default_rng(comm.rank), int(part.nodes.max(initial=-1)) + 1
    arrays = {name: rng.random((n, k)) for name, (_, _, k) in FIELDS.items()}
    facts: dict[str, Any] = {"mode": mode_text(comm), "plexus": [], "bare": []}
    for _ in range(repetitions):
        facts["plexus"].append(_timed(comm, lambda path: _write_fields(path, comm, part, arrays)))
        facts["bytes"] = comm.bcast(_size(FOLDER / "file.h5") if comm.rank == 0 else None)
        # as many bytes as the whole file of Plexus holds, grid and offsets included
        half = np.zeros(facts["bytes"] // 8 // comm.size)
        facts["bare"].append(_timed(comm, lambda path, rows=half: _write_bare(path, comm, rows)))
    if comm.rank == 0:
        print(json.dumps(facts))


def _size(path: Path) -> int:
    return path.stat().st_size


def _timed(comm: Comm, write: Any) -> float:
    """Return the seconds until all ranks have written and the data are on the disk. Collective."""
    path = FOLDER / "file.h5"
    if comm.rank == 0:
        path.unlink(missing_ok=True)
        # neither side pays for what the other left in the page cache
        os.sync()
    comm.Barrier()
    start = time.perf_counter()
    write(path)
    if comm.rank == 0:
        # both sides stop the clock when the data are on the disk
        with path.open("rb") as file:
            os.fsync(file.fileno())
    comm.Barrier()
    return time.perf_counter() - start


def _write_fields(path: Path, comm: Comm, part: Piece, arrays: dict[str, np.ndarray]) -> None:
    """Write all outputs as a run does. Collective."""
    from plexus.io.vtkhdf import FieldsFile
    from plexus.io.vtkhdf_layout import column

    columns = [column(name, unit, shape, "node") for name, (unit, shape, _) in FIELDS.items()]
    file = FieldsFile(path, comm, part, columns, OUTPUTS, {})
    for step in range(OUTPUTS):
        file.append(step, float(step), arrays)
    file.close()


def _write_bare(path: Path, comm: Comm, rows: np.ndarray) -> None:
    """Write one dataset, every rank its block. Collective."""
    import h5py

    parallel = bool(h5py.get_config().mpi) and comm.size > 1
    options: dict[str, Any] = {"driver": "mpio", "comm": comm} if parallel else {}
    # 2^25 doubles are 256 MiB, the size of Plexus' own writes
    piece, first = 1 << 25, comm.rank * len(rows)
    with h5py.File(path, "w", **options) as file:
        data = file.create_dataset("data", (comm.size * len(rows),), "f8")
        for k in range(0, len(rows), piece):
            block = rows[k : k + piece]
            with data.collective:
                data[first + k : first + k + len(block)] = block


if __name__ == "__main__":
    ranks(int(sys.argv[1]), int(sys.argv[2]))
