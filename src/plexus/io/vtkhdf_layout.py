"""The layout of ``fields.vtkhdf``: where grids and the data of each step lie, and how to read it back."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plexus.errors import InputError
from plexus.fileformat import META
from plexus.io.hdf5 import open_read

VTK = "/VTKHDF"
GRID_OFFSETS = ("PartOffsets", "NumberOfParts", "PointOffsets", "CellOffsets", "ConnectivityIdOffsets")
PLACES = {
    "node": (f"{VTK}/PointData", f"{VTK}/Steps/PointDataOffsets"),
    "cell": (f"{VTK}/CellData", f"{VTK}/Steps/CellDataOffsets"),
    # outside of VTK's groups, which know nodes and cells only
    "point": (f"{META}/QuadratureData", f"{META}/QuadratureDataOffsets"),
}
"""Location -> groups of the data and of the first row of each step."""
Points = tuple[tuple[float, ...], ...]
GRID_COUNTS = ("NumberOfPoints", "NumberOfCells", "NumberOfConnectivityIds")


@dataclass(frozen=True)
class Column:
    """A field in the file.

    ``location``: ``node``, ``cell``, or ``point`` (quadrature points, cell by cell, of which VTK knows
    nothing). ``components``: 1, 3 or 9, the number in the file. ``points``: points in the reference cell.
    """

    name: str
    unit: str
    shape: str
    location: str
    components: int
    tip: str = ""
    points: tuple[tuple[float, ...], ...] = ()

    @property
    def path(self) -> str:
        """Name of the dataset."""
        return f"{PLACES[self.location][0]}/{self.name}"

    @property
    def offsets(self) -> str:
        """Name of the dataset with the first row of each step."""
        return f"{PLACES[self.location][1]}/{self.name}"

    @property
    def per_cell(self) -> int:
        """Rows of a cell: one, or one per point."""
        return len(self.points) if self.location == "point" else 1

    def rows(self, nodes: int, cells: int) -> int:
        """Return the rows of so many nodes or cells."""
        return nodes if self.location == "node" else cells * self.per_cell


def column(name: str, unit: str, shape: str, location: str, tip: str = "", points: Points = ()) -> Column:
    """Return the column of a field: vectors get 3 components and tensors 9, whatever the dimension."""
    components = {"scalar": 1, "vector": 3, "tensor": 9}[shape]
    return Column(name, unit, shape, location, components, tip, points if location == "point" else ())


def padded(array: np.ndarray, col: Column) -> np.ndarray:
    """Return field values (N, k) in the file's shape: (N,), (N, 3), (N, 9)."""
    array = np.asarray(array, dtype=float)
    array = array.reshape(len(array), math.prod(array.shape[1:]))  # a rank without nodes has length 0 here
    if col.components == 1:
        return array[:, 0]
    if array.shape[1] == col.components:
        return array
    wide = np.zeros((len(array), col.components))
    if col.shape == "tensor":
        # a d x d tensor becomes the upper left corner of a 3 x 3 one
        d = round(array.shape[1] ** 0.5)
        wide.reshape(-1, 3, 3)[:, :d, :d] = array.reshape(-1, d, d)
    else:
        wide[:, : array.shape[1]] = array
    return wide


@dataclass(frozen=True)
class Grid:
    """Where one grid lies in the file: first part, point, cell, link, and the numbers of them.

    Parts behind those of the ranks that wrote it are empty.
    """

    part: int
    point: int
    cell: int
    link: int
    parts: int
    points: int
    cells: int
    links: int

    @property
    def end(self) -> tuple[int, int, int, int]:
        """First part, point, cell and link after this grid."""
        return (
            self.part + self.parts,
            self.point + self.points,
            self.cell + self.cells,
            self.link + self.links,
        )


@dataclass(frozen=True)
class Step:
    """One output: number of the step, time [s], grid, first rows of its node and cell data."""

    number: int
    t: float
    grid: int
    node_row: int
    cell_row: int


@dataclass(frozen=True)
class Totals:
    """Rows of the datasets: all points, cells and links, and reserved rows of node and cell data."""

    points: int
    cells: int
    links: int
    node_rows: int
    cell_rows: int


@dataclass(frozen=True)
class Layout:
    """What a file holds."""

    columns: list[Column]
    grids: list[Grid]
    steps: list[Step]
    vtk_type: int
    totals: Totals


def read_layout(path: Path) -> Layout:
    """Read the layout of a file on this rank alone.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    with open_read(path) as file:
        try:
            found = _layout(file)
            _inside(found)
        except (KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, RuntimeError) as error:
            raise InputError(f"{path}: the file is damaged ({type(error).__name__}: {error})") from None
    return found


def _layout(file: Any) -> Layout:
    """Return the layout of an open file."""
    columns = [_column(c) for c in json.loads(file[f"{META}/fields"][()])]
    grids, which = _grids(file)
    rows = {place: _first_rows(file, columns, place, len(which)) for place in ("node", "cell")}
    numbers, times = file[f"{META}/step"], file[f"{VTK}/Steps/Values"]
    steps = [
        Step(int(numbers[i]), float(times[i]), g, rows["node"][i], rows["cell"][i])
        for i, g in enumerate(which)
    ]
    return Layout(columns, grids, steps, int(file[f"{META}/vtk_type"][()]), _totals(file, columns))


def _inside(layout: Layout) -> None:
    """Refuse grids and steps that reach beyond the data, and steps that go back."""
    totals = layout.totals
    for grid in layout.grids:
        reached = zip(grid.end[1:], (totals.points, totals.cells, totals.links), strict=True)
        if min(asdict(grid).values()) < 0 or any(end > most for end, most in reached):
            raise ValueError("a grid reaches beyond the data")
    homes = {"node" if column.location == "node" else "cell" for column in layout.columns}
    last = -1
    for step in layout.steps:
        grid = layout.grids[step.grid]
        ends = {
            "node": (step.node_row, grid.points, totals.node_rows),
            "cell": (step.cell_row, grid.cells, totals.cell_rows),
        }
        if step.number < last or any(
            row < 0 or row + n > most for row, n, most in (ends[home] for home in homes)
        ):
            raise ValueError("a step reaches beyond the data")
        last = step.number


def _column(about: dict[str, Any]) -> Column:
    """Return a column from its plain data; those without points are of files that know none."""
    return Column(**{**about, "points": tuple(map(tuple, about.get("points", ())))})


def _grids(file: Any) -> tuple[list[Grid], list[int]]:
    """Return the different grids in the file and the number of each step's grid."""
    steps = file[f"{VTK}/Steps"]
    # a run that died between the two changes of a commit leaves NSteps one ahead of the times
    n = min(int(steps.attrs["NSteps"]), len(steps["Values"]))
    table = np.column_stack([steps[name][:n].reshape(n) for name in GRID_OFFSETS])
    counts = [file[f"{VTK}/{name}"][:] for name in GRID_COUNTS]
    unique, which = np.unique(table, axis=0, return_inverse=True)
    grids = [
        Grid(part, point, cell, link, parts, *(int(c[part : part + parts].sum()) for c in counts))
        for part, parts, point, cell, link in unique.tolist()
    ]
    return grids, which.ravel().tolist()


def _first_rows(file: Any, columns: list[Column], location: str, n: int) -> list[int]:
    """Return the first node or cell row of each step; zeros if no field lives there."""
    for col in columns:
        if (col.location == "node") == (location == "node"):
            return [int(i) // col.per_cell for i in file[col.offsets][:n]]
    return [0] * n


def _totals(file: Any, columns: list[Column]) -> Totals:
    """Return the rows of all datasets."""
    rows = {"node" if c.location == "node" else "cell": len(file[c.path]) // c.per_cell for c in columns}
    points, cells, links = (len(file[f"{VTK}/{name}"]) for name in ("Points", "Types", "Connectivity"))
    return Totals(points, cells, links, rows.get("node", 0), rows.get("cell", 0))
