"""A uniform grid: what a run needs to know of it besides the fields.

Cell (i, j, k) has its lower corner at origin + (i·dx, j·dy, k·dz); the ranks hold slabs of the first axis. In
Fourier space a cell stands for that corner, so that cells and points have the same global numbers,
(i·n_y + j)·n_z + k.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

CELL = {1: "line", 2: "quadrilateral", 3: "hexahedron"}
"""Dimension -> type of a grid's cells."""


@dataclass(frozen=True)
class Grid:
    """A box of equal cells on all ranks of ``comm``; periodic with its lower corner at zero if not told.

    Attributes
    ----------
    cells : number of cells per axis; of a periodic axis the number of points, too.
    size : edge lengths [m].
    origin : lower corner [m]; empty for zero.
    bounded : whether an axis ends at its sides; empty for none.
    regions : name -> condition on x, y, z.
    """

    comm: Comm
    cells: tuple[int, ...]
    size: tuple[float, ...]
    origin: tuple[float, ...] = ()
    bounded: tuple[bool, ...] = ()
    regions: Mapping[str, Any] = field(default_factory=dict)
    sha256: ClassVar[str] = ""
    """No grid comes from a file."""

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
    def corner(self) -> tuple[float, ...]:
        """Lower corner [m]."""
        return self.origin or (0.0,) * self.dim

    def ends(self, axis: int) -> bool:
        """Return whether an axis ends at its sides."""
        return bool(self.bounded) and self.bounded[axis]

    @property
    def volume(self) -> float:
        """Length, area or volume of the box."""
        return math.prod(self.size)
