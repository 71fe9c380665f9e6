"""Linear systems A u = b that a deck names, dealt over the ranks by rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from plexus.protocols.fields import FieldSpec

if TYPE_CHECKING:
    import numpy as np
    from mpi4py.MPI import Comm


@dataclass(frozen=True)
class Outline:
    """What is known of a system before a run.

    Attributes
    ----------
    blocks, components, entries : blocks of unknowns, unknowns of each, entries of the matrix; at most.
    dim : number of coordinates of a place; 1 where an unknown has none, which is its number.
    cells : cells per axis of the grid; empty without one.
    """

    blocks: int
    components: int
    entries: int
    dim: int
    cells: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Layout:
    """The blocks of unknowns of one rank, numbered one rank after the other, and where they stand.

    Attributes
    ----------
    components : unknowns of a block.
    n_owned, offset, n_global : own blocks, those of the ranks before, those of all ranks.
    cells, size, origin : cells per axis of the grid, edge lengths and lower corner [m]; empty without a grid.
    layers : first own layer of the first axis, and the one behind the last.
    cell : (n_owned,) own cell of each block, ascending, numbered over the own layers in C order; with a grid.
    points : (n_owned, d) coordinates [m], where a block has a place without a grid.
    """

    comm: Comm
    components: int
    n_owned: int
    offset: int
    n_global: int
    cells: tuple[int, ...] = ()
    size: tuple[float, ...] = ()
    origin: tuple[float, ...] = ()
    layers: tuple[int, int] = (0, 0)
    cell: np.ndarray | None = None
    points: np.ndarray | None = None

    @property
    def positions(self) -> np.ndarray | None:
        """Whole numbers (n_owned, d) of the cells of own blocks; None without a grid."""
        if self.cell is None:
            return None
        import numpy as np

        own = (self.layers[1] - self.layers[0], *self.cells[1:])
        found = np.stack(np.unravel_index(self.cell, own), axis=1)
        found[:, 0] += self.layers[0]
        return found


@dataclass(frozen=True, eq=False)
class LinearSystem:
    """The own rows of A u = b: compressed rows with global columns, ascending in each row.

    Attributes
    ----------
    pointer, columns : (n + 1,), (k,) int64.
    values, rhs : (k,), (n,) float64.
    held : (n,) bool, rows that say u = 0 and to which nothing else is tied; None for none.
    near : (n, v) vectors that cost hardly any energy; None for a constant of each component.
    fields : what the problem shows beside u, by name: (own cells,) on a grid, else (own blocks, m).
    """

    pointer: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    rhs: np.ndarray
    held: np.ndarray | None = None
    near: np.ndarray | None = None
    fields: Mapping[str, np.ndarray] = field(default_factory=dict)


class Problem(Protocol):
    """A member of kind ``problem``: a linear system, or with ``sequence`` one for every time.

    Rows, right-hand side and numbers drawn are the same on any number of ranks.
    """

    params: Any
    sequence: bool
    """Whether the matrix depends on time."""
    symmetric: bool | None
    """Whether the matrix is symmetric; None: its entries tell."""
    definite: bool
    """Whether the matrix is positive definite for sure."""

    @property
    def shows(self) -> Sequence[FieldSpec]:
        """What `LinearSystem.fields` hold."""

    def outline(self) -> Outline:
        """Return the sizes; reads heads of files, needs no MPI.

        Raises
        ------
        InputError
            If a file cannot be read, or is none of a real square matrix.
        """

    def layout(self, comm: Comm) -> Layout:
        """Return the blocks of this rank, the same at all times. Collective.

        Raises
        ------
        InputError
            If there are more ranks than rows can be dealt to, or if a file is damaged.
        """

    def system(self, layout: Layout, t: float) -> LinearSystem:
        """Return the own rows at time ``t`` [s]. Collective."""


class MatrixPhysics(Protocol):
    """A member of kind ``physics`` that is a `Problem`."""

    discretisation: ClassVar[str]
    problem: Problem

    @staticmethod
    def fields(params: Any) -> Sequence[FieldSpec]:
        """Return the unknown; needs no MPI, PETSc or torch."""
