"""A linear system that others have written: MatrixMarket or PETSc's binary format.

The matrix is real and square; each row has a diagonal entry. Right-hand side, coordinates, near null space
and an exact solution are arrays of MatrixMarket (`matrix array real general`) or vectors of PETSc. Without
`rhs` b is standard normal, of seed 1. Unknowns stand on a grid of cells of 1 m (`cells`, rows counted along
its last axis first), at coordinates, or have no place but the number of their block, x. Entries that a file
tells twice are taken once, those of two values are refused. Numbers of rows and columns in messages begin
with one. Source:
R. F. Boisvert, R. Pozo, K. A. Remington, NISTIR 5935 (1996), doi:10.6028/NIST.IR.5935.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import model_validator

from plexus.deck.params import Field, InputFile, Params
from plexus.deck.values import refuse
from plexus.errors import InputError, at_path
from plexus.problems._slabs import own_layers
from plexus.protocols import FieldSpec, Layout, LinearSystem, Outline
from plexus.registry import register
from plexus.runtime.first import on_first

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

EXAMPLE: dict[str, Any] = {"type": "file", "file": "matrix.mtx"}
PLACE = "physics.problem"
INDEPENDENT, TINY = 1e-8, 1e-300
"""Least singular value of vectors of length one that count as independent; length of none."""


class FileParams(Params):
    """Parameters of `File`."""

    file: InputFile = Field(description="the matrix, MatrixMarket or PETSc binary")
    rhs: InputFile | None = Field(None, description="right-hand side b; absent: standard normal numbers")
    block_size: int = Field(1, ge=1, le=64, description="unknowns of a node, whose rows follow each other")
    cells: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (),
        max_length=3,
        description="cells per axis of the grid of the blocks; in rows the last runs fastest",
    )
    coordinates: InputFile | None = Field(None, description="places of the blocks [m], one row each")
    near_nullspace: InputFile | None = Field(
        None, description="vectors of hardly any energy, as rigid motions, one column each; with a block_size"
    )
    solution: InputFile | None = Field(None, description="exact solution, shown as `exact`")

    @model_validator(mode="after")
    def _one_place(self) -> FileParams:
        if self.cells and self.coordinates is not None:
            raise refuse("cells and coordinates both say where blocks stand: give one of them")
        return self


@register("problem", "file", FileParams)
class File:
    """The system of some files; the first rank reads them and deals the rows."""

    sequence = False
    symmetric: bool | None = None
    definite = False

    def __init__(self, params: FileParams):
        self.params = params

    @property
    def shows(self) -> Sequence[FieldSpec]:
        """The exact solution, if it is there."""
        if self.params.solution is None:
            return ()
        shape: Any = "scalar" if self.params.block_size == 1 else "vector"
        return (FieldSpec("exact", "1", shape, "exact solution"),)

    def outline(self) -> Outline:
        """Return the sizes that the heads of the files tell.

        Raises
        ------
        InputError
            If a file cannot be read, if it is none of a real square matrix, or if sizes do not agree.
        """
        p = self.params
        with at_path(f"{PLACE}.file"):
            head = _reader(p.file).head(p.file)
        blocks, rest = divmod(head.rows, p.block_size)
        if rest:
            raise InputError(f"{PLACE}.block_size: {head.rows} rows do not make blocks of {p.block_size}")
        if p.cells and math.prod(p.cells) != blocks:
            product = " × ".join(map(str, p.cells))
            raise InputError(f"{PLACE}.cells: {product} = {math.prod(p.cells)} cells for {blocks} blocks")
        entries = head.stored * (2 if head.mirror else 1)
        alone = p.block_size if p.block_size <= 3 else 1
        dim = len(p.cells) or (alone if p.coordinates is None else self._places(blocks).shape[1])
        return Outline(blocks, p.block_size, entries, dim, p.cells)

    def layout(self, comm: Comm) -> Layout:
        """Return the own blocks: whole layers of a grid, else even shares. Collective."""
        outline = on_first(comm, self.outline)
        n, cells = outline.blocks, outline.cells
        if cells:
            layers, plane = own_layers(cells[0], comm), n // cells[0]
            first, last = layers[0] * plane, layers[1] * plane
            size, zero = tuple(float(c) for c in cells), (0.0,) * len(cells)
            return Layout(
                comm, outline.components, last - first, first, n, cells, size, zero, layers,
                np.arange(last - first),
            )  # fmt: skip
        first, last = (n * (comm.rank + k) // comm.size for k in (0, 1))
        points = np.zeros((last - first, outline.dim))
        points[:, 0] = np.arange(first, last)
        if self.params.coordinates is not None:
            points = on_first(comm, lambda: self._places(n))[first:last]
        return Layout(comm, outline.components, last - first, first, n, points=points)

    def system(self, layout: Layout, t: float) -> LinearSystem:
        """Return the own rows. Collective."""
        comm, m = layout.comm, layout.components
        if comm.size == 1:
            return self._whole()
        ranges = comm.allgather((layout.offset * m, (layout.offset + layout.n_owned) * m))
        pieces: Any = []

        def read() -> None:
            whole = self._whole()
            pieces.extend(_part(whole, first, last, m) for first, last in ranges)

        on_first(comm, read)
        mine: LinearSystem = comm.scatter(pieces)
        return mine

    def _whole(self) -> LinearSystem:
        """Return all rows."""
        p = self.params
        with at_path(f"{PLACE}.file"):
            rows = _reader(p.file).rows(p.file)
        n = len(rows.pointer) - 1
        rhs = np.random.default_rng(1).standard_normal(n)
        if p.rhs is not None:
            rhs = self._array("rhs", p.rhs, n)[:, 0]
        near = None if p.near_nullspace is None else self._near(p.near_nullspace, n)
        fields = {}
        if p.solution is not None:
            fields["exact"] = self._array("solution", p.solution, n).reshape(-1, p.block_size)
        return LinearSystem(rows.pointer, rows.columns, rows.values, rhs, None, near, fields)

    def _array(self, key: str, path: str, n: int) -> np.ndarray:
        """Return an array (n, 1)."""
        with at_path(f"{PLACE}.{key}"):
            found = _reader(path).array(path)
            if found.shape != (n, 1):
                text = f"{len(found)} numbers" if found.shape[1] == 1 else f"{found.shape[1]} columns"
                raise InputError(f"{path}: {text} for one column of {n} rows")
        return found

    def _near(self, path: str, n: int) -> np.ndarray:
        """Return an orthonormal basis of the near null space, (n, k)."""
        with at_path(f"{PLACE}.near_nullspace"):
            found = _reader(path).array(path)
            # PETSc writes several vectors as one
            found = found.reshape(-1, n).T if found.shape[1] == 1 and found.size % n == 0 else found
            if len(found) != n or not 0 < found.shape[1] < n:
                raise InputError(f"{path}: {found.size} numbers are no vectors of {n} rows")
            size = np.abs(found).max(axis=0)
            found = found / np.where(size > 0, size, 1.0)
            found /= np.maximum(np.linalg.norm(found, axis=0), TINY)
            if np.linalg.matrix_rank(found, INDEPENDENT) < found.shape[1]:
                raise InputError(f"{path}: its {found.shape[1]} vectors are not independent")
        return np.linalg.qr(found)[0]

    def _places(self, blocks: int) -> np.ndarray:
        """Return the coordinates of all blocks, (n, d)."""
        path = self.params.coordinates
        assert path is not None
        with at_path(f"{PLACE}.coordinates"):
            found = _reader(path).array(path)
            if found.size % blocks or not 1 <= found.size // blocks <= 3:
                raise InputError(f"{path}: {found.size} numbers are no places of {blocks} blocks")
            if found.shape[1] > 1 and len(found) != blocks:
                fits = blocks % len(found) == 0 and self.params.block_size == 1
                hint = f"; is `block_size: {blocks // len(found)}` missing?" if fits else ""
                raise InputError(f"{path}: {len(found)} rows for {blocks} blocks{hint}")
        return found.reshape(blocks, -1)


def _part(whole: LinearSystem, first: int, last: int, m: int) -> LinearSystem:
    """Return the rows from ``first`` to ``last``, which are those of blocks of m."""
    pointer = whole.pointer[first : last + 1]
    entries = slice(pointer[0], pointer[-1])
    return LinearSystem(
        pointer - pointer[0],
        whole.columns[entries],
        whole.values[entries],
        whole.rhs[first:last],
        None,
        None if whole.near is None else whole.near[first:last],
        {name: rows[first // m : last // m] for name, rows in whole.fields.items()},
    )


def _reader(path: str) -> Any:
    """Return the module that reads a file.

    Raises
    ------
    InputError
        If the file is of another format.
    """
    from plexus.problems import _matrixmarket, _petscbinary

    try:
        with open(path, "rb") as file:
            begin = file.read(16)
    except OSError as error:
        raise InputError(f"{path}: cannot read it: {error.strerror}") from None
    if begin.startswith(_matrixmarket.MAGIC):
        return _matrixmarket
    if _petscbinary.known(begin):
        return _petscbinary
    raise InputError(f"{path}: neither MatrixMarket nor PETSc's binary format")
