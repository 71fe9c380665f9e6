"""Preconditioners of symmetric positive definite systems beside each other, to tell which one to take.

``plexus bench linear`` makes the tables of all classes but those of `ASKED`, two at a time;
``linear:channels`` one of them, ``linear:FILE`` that of somebody's matrix, or of the problem of a deck. Each
has the multigrid on aggregates with its three cycles, PETSc's smoothed aggregation and hypre's BoomerAMG with
several settings, ML, PyAMG and an incomplete Cholesky factorisation; `solves` tells what is the same for all.
`plexus-post linear` draws what is stored.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from plexus.errors import InputError

if TYPE_CHECKING:
    from plexus.bench.table import Row

PARTS = {
    "channels": "grids",
    "obstacles": "grids",
    "condiff": "grids",
    "lognormal": "grids",
    "moving": "grids",
    "unstructured": "meshes",
    "elasticity": "meshes",
    "runs": "runs",
    "size": "growth",
    "precision": "growth",
    "directions": "directions",
    "speed": "speed",
    "ranks": "growth",
    "spectra": "spectra",
    "transfer": "transfer",
    "objective": "objective",
}
"""Class -> module of this package with its function."""
ASKED = ("spectra", "transfer", "objective")
"""Classes that are measured only by name: they show or train networks."""
ALONE = ("speed", "ranks")
"""Those that measure what cores share, or take several."""


def run(*names: str) -> list[Row]:
    """Measure classes, all of them without names, or files.

    Raises
    ------
    InputError
        If a name is neither, or a file holds no symmetric matrix.
    """
    unknown = [n for n in names if n not in PARTS and not Path(n).is_file()]
    if unknown:
        raise InputError(f"linear:{unknown[0]}: neither a file nor one of {', '.join(PARTS)}")
    from plexus.bench.linear.beside import measured
    from plexus.bench.linear.methods import absent

    if not names:
        return measured([n for n in PARTS if n not in ASKED + ALONE], ALONE)
    return [*absent(), *(row for name in names for row in _part(name))]


def _part(name: str) -> list[Row]:
    """Measure one class or file, and store its solves."""
    from importlib import import_module

    from plexus.bench.linear.file import of_file
    from plexus.bench.linear.report import store

    if name in PARTS:
        with warnings.catch_warnings():
            # networks are measured on families that their training has not met, too
            warnings.filterwarnings("ignore", message="learned multigrid")
            solves, rows = getattr(import_module(f"{__name__}.{PARTS[name]}"), name)()
    else:
        solves, rows = of_file(name)
    if solves:
        store(Path(name).name, solves)
    return rows
