"""A uniform periodic grid: what a run needs to know of it besides the fields.

Point (i, j, k) lies at (i·dx, j·dy, k·dz); the ranks hold slabs of the first axis. Cell (i, j, k) has that
point as its lower corner, so that cells and points have the same global numbers, (i·n_y + j)·n_z + k.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

CELL = {1: "line", 2: "quadrilateral", 3: "hexahedron"}
"""Dimension -> type of a grid's cells."""


@dataclass(frozen=True)
class Grid:
    """A periodic box of equal cells on all ranks of ``comm``; lower corner at the origin.

    Attributes
    ----------
    cells : number of cells per axis, which is the number of points, too.
    size : edge lengths [m].
    """

    comm: Comm
    cells: tuple[int, ...]
    size: tuple[float, ...]

    @property
    def dim(self) -> int:
        """Number of axes."""
        return len(self.cells)

    @property
    def cell(self) -> str:
        """Type of the cells."""
        return CELL[self.dim]

    @property
    def n_global_cells(self) -> int:
        """Number of cells of all ranks."""
        return math.prod(self.cells)

    @property
    def spacing(self) -> tuple[float, ...]:
        """Edge lengths of a cell [m]."""
        return tuple(length / n for length, n in zip(self.size, self.cells, strict=True))

    @property
    def volume(self) -> float:
        """Length, area or volume of the box."""
        return math.prod(self.size)
