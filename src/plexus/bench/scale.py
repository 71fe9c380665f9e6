"""A linear elasticity run of 3 million unknowns on 2 ranks: memory, and where the time goes.

A steel cube of 100³·6 tetrahedra, one face held, the opposite one under pressure; CG with smoothed
aggregation and rigid-body modes; the displacement is written. Memory is the number of ranks times the
largest resident size of a rank, so it is an upper bound.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from plexus.bench.job import Job, plexus
from plexus.bench.table import Row

RANKS = 2
LIMIT = 20.0
"""Memory of both ranks together [GiB]."""
SHARES = {
    "mesh and spaces": ("mesh", "spaces"),
    "assembly": ("assembly", "matrix", "residual", "jacobian"),
    "solver set-up": ("preconditioner",),
    "solve": ("krylov", "solve"),
    "output": ("output",),
}
"""Row -> phases of the run that belong to it."""


def deck(cells: int) -> dict[str, Any]:
    """Return the deck of the run."""
    return {
        "plexus": 1,
        "mesh": {"type": "box", "cell": "tetrahedron", "cells": [cells] * 3},
        "physics": {"type": "elasticity", "material": {"young_modulus": "210 GPa", "poisson_ratio": 0.3}},
        "boundary": [{"on": "left", "displacement": [0, 0, 0]}, {"on": "right", "pressure": "1 MPa"}],
        "solver": {"displacement": {"ksp": "cg", "rtol": 1e-6, "preconditioner": "gamg"}},
        "output": [{"type": "fields", "every": "end"}],
    }


def run(cells: int = 100) -> list[Row]:
    """Measure one run of 3·(cells + 1)³ unknowns."""
    with tempfile.TemporaryDirectory() as folder:
        return rows(plexus(deck(cells), RANKS, Path(folder)))


def rows(job: Job) -> list[Row]:
    """Return memory, bytes per unknown and shares of a finished run."""
    facts, unknowns = job.facts, job.facts["unknowns"]
    # the summary tells the largest rank, so this bounds the sum from above
    gib = RANKS * facts["peak_memory_mb"] / 1024
    iterations = facts["solver"]["displacement"]["total"]
    found = [
        Row("unknowns", unknowns, "", 3e6, unknowns >= 3e6, f"{RANKS} ranks, {iterations} iterations"),
        Row("memory", gib, "GiB", LIMIT, gib <= LIMIT),
        Row("memory per unknown", gib * 2**30 / unknowns, "B"),
        Row("wall time", job.seconds, "s"),
    ]
    # shares of the wall time that a user waits, interpreter start included
    shares = {item: job.phases(*names) for item, names in SHARES.items()}
    return found + [
        Row(f"share of {item}", 100 * s / job.seconds, "%", peer=f"{s:.2f} s") for item, s in shares.items()
    ]
