"""Bases of rows and their files: modes of a moving line, or of the means of fixed cells.

`rom.h5` has the layout of a checkpoint. Of a line the rows are its nodes, named by their numbers: columns of
``arrays/modes`` are the modes of positions, then those of the values, ``arrays/origin`` has both at the
start. Of cells ``arrays/modes`` has a column per mode.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError
from plexus.io import checkpoint
from plexus.reduction.pod import Basis, pod

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.reduction.moving import MovingLine
    from plexus.spaces.cells import CellSpace

Array = np.ndarray
LINE, CELLS = "lagrangian", "eulerian"
ROUNDING = 1e-12
"""Size of changes, relative to what changes, below which there are none."""


def modes_of(
    comm: Comm, rows: Array, weights: Array, scale: float, tolerance: float, most: int | None
) -> Basis:
    """Return the modes of changes (n here, k), none where there are only rounding errors. Collective.

    ``scale`` is the size, in the norm of the weights, of what has changed.
    """
    squares = comm.allreduce(weights @ rows**2)
    if float(np.max(squares)) ** 0.5 <= ROUNDING * scale or most == 0:
        return Basis(rows[:, :0], np.empty(0), np.empty(0))
    return pod(comm, rows, lambda a: weights[:, None] * a, tolerance, most)


def save(path: Path, comm: Comm, kind: str, names: Array, arrays: dict[str, Array], facts: Any) -> None:
    """Write modes of own rows with their facts. Collective."""
    rows = "cells" if kind == CELLS else "nodes"
    content = checkpoint.Content({kind: facts}, arrays, dict.fromkeys(arrays, rows))
    checkpoint.write(path, comm, {rows: names}, content)


def _read(path: Path, comm: Comm, kind: str, names: Array) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return facts, and the arrays in the rows of ``names``. Collective."""
    known = checkpoint.about(path, comm)
    if kind not in known.facts:
        raise InputError(f"{path}: this is no {kind} model, but another one")
    rows = "cells" if kind == CELLS else "nodes"
    return known.facts[kind], checkpoint.read(path, comm, {rows: names}, known).arrays


def of_line(path: Path, comm: Comm, line: MovingLine) -> Array:
    """Return the modes (2n, k) of a line, on all ranks. Collective.

    Raises
    ------
    InputError
        If they belong to another line or unknown.
    """
    n = line.n
    facts, arrays = _read(path, comm, LINE, np.arange(n))
    start = np.concatenate(arrays["origin"].T)
    scale = np.repeat([np.ptp(line.origin[:n]), np.ptp(line.origin[n:]) or 1.0], n)
    if facts["unknown"] != line.name or facts["nodes"] != n:
        raise InputError(f"{path}: a model of {facts['unknown']} on {facts['nodes']} nodes, not of this deck")
    if np.abs((start - line.origin) / scale).max() > 1e-9:
        raise InputError(f"{path}: the model begins elsewhere or otherwise than this deck; reduce this one")
    k = facts["position_modes"]
    found = np.zeros((2 * n, arrays["modes"].shape[1]))
    found[:n, :k], found[n:, k:] = arrays["modes"][:, :k], arrays["modes"][:, k:]
    return found


def of_cells(path: Path, cells: CellSpace, name: str) -> Array:
    """Return the modes (n here, k) of cell means. Collective.

    Raises
    ------
    InputError
        If they belong to other cells or another unknown.
    """
    facts, arrays = _read(path, cells.comm, CELLS, cells.names())
    if facts["unknown"] != name or facts["grid"] != list(cells.mesh.cells):
        raise InputError(f"{path}: a model of {facts['unknown']} on {facts['grid']} cells, not of this deck")
    return arrays["modes"]
