"""One field of another run at all times that it has written: ``fields.vtkhdf`` and the files that follow it.

A value is found by the name of its node, which no partition changes, so that the files may be those of a run
that was restarted on other ranks. A rank reads a grid, or one field at one time, as a whole, and keeps what
it asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from plexus.deck.suggest import nearest
from plexus.errors import InputError
from plexus.fileformat import META
from plexus.io.hdf5 import open_read
from plexus.io.vtkhdf_layout import VTK, Column, Grid, Step, read_layout
from plexus.runtime import claim

STEADY = re.compile("^time: null", re.MULTILINE)
"""What the effective deck of a run without a march says."""


class Cells(NamedTuple):
    """A grid: places (n, 3) [m] and names (n,) of points, links (c, k), names (c,) and kind of cells."""

    points: np.ndarray
    names: np.ndarray
    links: np.ndarray
    cell_ids: np.ndarray
    vtk_type: int


@dataclass(frozen=True)
class Level:
    """Where a time is: file, its column, its step and the grid of that."""

    path: Path
    column: Column
    step: Step
    grid: Grid
    vtk_type: int


@dataclass(frozen=True)
class History:
    """A nodal scalar at rising times [s], in a unit; ``steady`` where the run did not march."""

    levels: Sequence[Level]
    unit: str
    steady: bool
    _grids: dict[tuple[Path, Grid], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    @property
    def times(self) -> np.ndarray:
        """Times [s], (k,)."""
        return np.array([level.step.t for level in self.levels])

    def cells(self) -> Cells:
        """Return the grid of the first time."""
        level = self.levels[0]
        g = level.grid
        with open_read(level.path) as file:
            links = np.asarray(file[f"{META}/links"][g.link : g.link + g.links]).reshape(g.cells, -1)
            points = np.asarray(file[f"{VTK}/Points"][g.point : g.point + g.points])
            return Cells(
                points, _names(file, g), links, _rows(file, "cell_ids", g.cell, g.cells), level.vtk_type
            )

    def values(self, k: int, names: np.ndarray) -> np.ndarray:
        """Return the values at time ``k`` of nodes by name, in the shape of ``names``."""
        level = self.levels[k]
        known, order = self._sorted(level)
        with open_read(level.path) as file:
            first = level.step.node_row
            rows = np.asarray(file[level.column.path][first : first + len(known)])
        return np.asarray(rows[order[np.searchsorted(known, names)]])

    def _sorted(self, level: Level) -> tuple[np.ndarray, np.ndarray]:
        """Return the rising names of a grid's nodes, and their places there; a grid is read once."""
        key = level.path, level.grid
        if key not in self._grids:
            with open_read(level.path) as file:
                names = _names(file, level.grid)
            order = np.argsort(names, kind="stable")
            self._grids[key] = names[order], order
        return self._grids[key]


def read(path: Path, name: str) -> History:
    """Return a nodal scalar of a run (one rank).

    Raises
    ------
    InputError
        If a file cannot be read, or has no such field at its nodes.
    """
    patterns = claim.fields(path.stem)[1:2]
    found = [_levels(file, name) for file in (path, *claim.found(path.parent, patterns))]
    with open_read(path) as file:
        steady = bool(STEADY.search(file[f"{META}/deck"][()].decode()))
    levels = sorted((level for each in found for level in each), key=lambda level: level.step.number)
    if not levels:
        raise InputError(f"{path}: no time has been written")
    return History(levels, levels[0].column.unit, steady)


def _levels(path: Path, name: str) -> list[Level]:
    """Return the times of one file."""
    layout = read_layout(path)
    known = {c.name: c for c in layout.columns if c.location == "node" and c.components == 1}
    if name not in known:
        raise InputError(f"{path}: no scalar at its nodes is called {name!r}{nearest(name, known, 12)}")
    return [Level(path, known[name], s, layout.grids[s.grid], layout.vtk_type) for s in layout.steps]


def _names(file: object, grid: Grid) -> np.ndarray:
    return _rows(file, "node_ids", grid.point, grid.points)


def _rows(file: object, name: str, first: int, count: int) -> np.ndarray:
    return np.asarray(file[f"{META}/{name}"][first : first + count])  # type: ignore[index]
