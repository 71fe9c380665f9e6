"""What each rank of `plexus bench linear:ranks` does: tables of two problems, and solutions to compare."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from mpi4py import MPI

from plexus.bench.linear.growth import PROBLEMS, TIGHT, TIMED
from plexus.bench.linear.methods import SLOW, methods
from plexus.bench.linear.solves import solve, table
from plexus.bench.linear.systems import of_problem

LIMIT = 60
"""Iterations after which a method is stopped."""


def main(folder: Path) -> None:
    """Write the solves and the solution of every problem. Collective."""
    comm = MPI.COMM_WORLD
    for name, (given, _) in PROBLEMS.items():
        system = of_problem(comm, name, (comm.size, "ranks"), cells=[64] * 3, **given)
        # seconds are compared on two ranks
        timed = comm.size == TIMED
        chosen = [m for m in methods(system.mat) if timed or m.name not in SLOW]
        found = table(system, chosen, 3 if timed else 1, LIMIT)
        values = comm.gather(solve(system, chosen[0], TIGHT)[1])
        if values is not None:
            (folder / f"{name}.json").write_text(json.dumps([vars(s) for s in found]))
            np.save(folder / f"{name}.npy", np.concatenate(values))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
