"""Fields of a run as values at points: ``fields.vtkhdf``.

The reader takes nodes as they are, whatever mesh they belong to. Values of cells stand at the middle of their
nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plexus.deck.suggest import nearest
from plexus.errors import InputError
from plexus.fileformat import META
from plexus.io.hdf5 import open_read
from plexus.io.vtkhdf_layout import VTK, read_layout


@dataclass(frozen=True)
class Snapshot:
    """One field at one time.

    Attributes
    ----------
    t : time [s].
    points : (n, 3) coordinates [m].
    values : (n, k) components.
    unit : unit of the values.
    """

    t: float
    points: np.ndarray
    values: np.ndarray
    unit: str


def read(path: Path, name: str) -> list[Snapshot]:
    """Return a field at all times of a file.

    Raises
    ------
    InputError
        If the file cannot be read, is that of another program, or has no such field at its nodes or cells.
    """
    with open_read(path) as file:
        if META not in file:
            raise InputError(
                f"{path}: not written by a run; of another program take its points and values as a table "
                "(CSV with columns x, y, z and units)"
            )
    layout = read_layout(path)
    known = {c.name: c for c in layout.columns if c.location in ("node", "cell")}
    if name not in known:
        raise InputError(f"{path}: no field is called {name!r}{nearest(name, known, 12)}")
    column, found = known[name], []
    with open_read(path) as file:
        for step in layout.steps:
            grid = layout.grids[step.grid]
            nodes = np.asarray(file[f"{VTK}/Points"][grid.point : grid.point + grid.points], dtype=float)
            row, count = (
                (step.node_row, grid.points) if column.location == "node" else (step.cell_row, grid.cells)
            )
            values = np.asarray(file[column.path][row : row + count], dtype=float).reshape(count, -1)
            points = nodes if column.location == "node" else _middles(file, grid, nodes)
            found.append(Snapshot(step.t, points, values, column.unit))
    return found


def _middles(file: object, grid: object, nodes: np.ndarray) -> np.ndarray:
    """Return the middle of the nodes of each cell; all cells of a file have as many nodes."""
    links = np.asarray(file[f"{VTK}/Connectivity"][grid.link : grid.link + grid.links])  # type: ignore
    return nodes[links.reshape(grid.cells, -1)].mean(1)  # type: ignore[attr-defined]
