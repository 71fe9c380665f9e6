"""What gives the places at which equations hold: cells, or the points of a uniform grid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.deck.context import Known
    from plexus.mesh.grid import Grid
    from plexus.mesh.look import Look
    from plexus.mesh.mesh import Estimate, Mesh


class MeshSource(Protocol):
    """A member of kind ``mesh``; it gives cells, a grid, or both."""

    def estimate(self) -> Estimate:
        """Return sizes and names before anything is built; needs no MPI.

        Raises
        ------
        InputError
            If a file is unusable.
        """

    def known(self) -> Known | None:
        """Return dimension and names as far as they are known without reading a file."""


@runtime_checkable
class Selects(Protocol):
    """A source that makes its cells itself, with conditions on coordinates for regions and boundaries."""

    def alone(self) -> Mesh | None:
        """Return the mesh of a single rank where that is quick, else None; needs no MPI.

        Raises
        ------
        InputError
            If the cells are unusable.
        """

    def missed(self) -> Iterator[tuple[str, str]]:
        """Yield key and name of conditions that nothing fulfils, where that is quick; needs no MPI."""


@runtime_checkable
class Looks(Protocol):
    """A source that can show its mesh before a run."""

    def look(self) -> Look:
        """Return the mesh on one rank, or names and sizes where it is large; needs no MPI, takes a second.

        Raises
        ------
        InputError
            As `CellSource.build` does.
        """


@runtime_checkable
class CellSource(Protocol):
    """A source of cells for elements."""

    def build(self, comm: Comm) -> Mesh:
        """Return this rank's part of the mesh. Collective."""


@runtime_checkable
class GridSource(Protocol):
    """A source of uniform grids, bounded or periodic."""

    def grid(self, comm: Comm) -> Grid:
        """Return the grid of all ranks. Not collective."""


@runtime_checkable
class PeriodicSource(Protocol):
    """A source of grids whose opposite sides are one."""

    def periodic(self, comm: Comm) -> Grid:
        """Return the grid of all ranks. Not collective."""
