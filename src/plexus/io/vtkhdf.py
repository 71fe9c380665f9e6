"""``fields.vtkhdf``: fields over time in VTK's HDF5 layout, one part per rank and step.

Layout (VTKHDF 2.2, ``UnstructuredGrid`` with ``Steps``): the grid is written once and all steps refer to it
by offset; point and cell data of the steps follow each other. Beside it, in ``/plexus``: format version,
provenance, deck, unit and tip of each field, step number of each output, names of nodes and cells that are
the same on every number of ranks, the grid's links numbered through all partitions (for XDMF), and in
``QuadratureData`` fields at quadrature points, cell after cell, of which VTK knows nothing.

**Valid at any moment.** A file is visible from its first complete step on, and readers may open it while the
run goes on; between outputs it is closed. All datasets have their final size from the start (``capacity``
steps), so adding a step moves no metadata: the values go into reserved space, the file is closed, and only
then ``NSteps`` is raised and the list of times extended, a few bytes that are overwritten in place. A run
that dies while writing leaves the steps before intact. Reserved space costs no disk on file systems with
sparse files. When a run needs more steps than expected, a larger file is prepared beside the old one and
replaces it by a rename; spare room is given back the same way at the end. Outputs are not forced to the disk
one by one (that would cost more than writing them): a crash of the machine may lose the latest ones.

A restart continues the file: later steps than the restart's are dropped, and as the new ranks may hold other
cells, their grid is added once more. VTK from 9.5 on takes the number of parts of one step for that of all:
every grid of a file has as many parts as the one with the most, and those that no rank fills are empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from plexus.errors import OutputError
from plexus.fileformat import FORMAT_VERSION, META
from plexus.io.hdf5 import Lazy, SlabFile, offset, on_root, open_read, publish, require_space
from plexus.io.piece import Piece
from plexus.io.vtkhdf_layout import GRID_COUNTS, VTK, Column, Grid, Layout, Step, Totals, padded, read_layout
from plexus.runtime.files import partial

VERSION = (2, 2)
COPY = 1 << 22
"""Rows that a rank copies at a time when a file is enlarged."""


class FieldsFile:
    """Writer of one file. All methods are collective and raise `OutputError` on all ranks.

    Parameters
    ----------
    path
        Final name.
    piece
        This rank's part of the grid.
    columns
        Fields of every step.
    capacity
        Number of steps to reserve room for.
    texts
        Texts that go into ``/plexus``, e.g. ``deck``, ``provenance``.
    """

    def __init__(
        self, path: Path, comm: MPI.Comm, piece: Piece, columns: Sequence[Column], capacity: int,
        texts: Mapping[str, str],
    ):  # fmt: skip
        self.path, self.comm, self.piece = path, comm, piece
        self.columns, self.texts, self.capacity = list(columns), dict(texts), capacity
        self._starts = [offset(comm, n)[0] for n in piece.shape]
        self.grids = [Grid(0, 0, 0, 0, comm.size, *(int(comm.allreduce(n)) for n in piece.shape))]
        self.steps: list[Step] = []
        self.visible = False

    @classmethod
    def resume(
        cls, path: Path, comm: MPI.Comm, piece: Piece, columns: Sequence[Column], capacity: int,
        texts: Mapping[str, str], last: int,
    ) -> FieldsFile:  # fmt: skip
        """Go on with an earlier file of the same fields after its output of step ``last``; drop later ones.

        Raises
        ------
        InputError
            If the earlier file cannot be read.
        """
        new = cls(path, comm, piece, columns, capacity, texts)
        earlier = read_layout(path)
        kept = [s for s in earlier.steps if s.number <= last]
        if kept:
            # the new partition's grid goes behind the old ones; earlier steps keep referring to theirs
            _, point, cell, link = earlier.grids[-1].end
            newest = replace(new.grids[0], point=point, cell=cell, link=link)
            new.grids = even([*earlier.grids, newest])
            new.capacity = len(kept) + capacity
            new._build(kept, earlier.grids).close()
            new._publish()
        return new

    @property
    def layout(self) -> Layout:
        """What the file holds at present."""
        _, points, cells, links = self.grids[-1].end
        totals = Totals(points, cells, links, *self._rows())
        return Layout(self.columns, self.grids, list(self.steps), self.piece.vtk_type, totals)

    def append(self, number: int, t: float, arrays: Mapping[str, np.ndarray]) -> None:
        """Add one output.

        Parameters
        ----------
        number, t
            Step number and time [s] of the state.
        arrays
            Field name -> (n_local, k) node values, (owned cells, k) cell values, or values at the points of
            the owned cells, others behind them.
        """
        # doubling copies each output once on average, however long the run
        if self.visible and len(self.steps) == self.capacity:
            self._resize(2 * self.capacity)
        step = self._after(self.steps, number, t)
        require_space(self.path, sum(self._bytes(c) for c in self.columns), self.comm)
        file = SlabFile(self.path, self.comm, "r+") if self.visible else self._build([], [])
        for col in self.columns:
            first = col.rows(step.node_row + self._starts[0], step.cell_row + self._starts[1])
            file.write(col.path, first, self._data(col, arrays[col.name]))
        # the data are complete in the file before it is told that there is one more step
        file.close()
        on_root(self.comm, lambda: commit(file.path, len(self.steps), step))
        self.steps.append(step)
        if not self.visible:
            self._publish()

    def _data(self, col: Column, array: np.ndarray) -> Lazy:
        """Return the rows of a field in the file's shape; made in pieces."""
        nodes = self.piece.nodes if col.location == "node" else None
        n = col.rows(*self.piece.shape[:2])
        tail = (col.components,) if col.components > 1 else ()

        def make(a: int, b: int) -> np.ndarray:
            return padded(array[a:b] if nodes is None else array[nodes[a:b]], col)

        return Lazy((n, *tail), "f8", make)

    def close(self, *, trim: bool = True) -> None:
        """End the file; between outputs it is closed anyway.

        Parameters
        ----------
        trim
            Give spare room back. This copies the file, and is left out where the disk has no room for a copy.
        """
        if trim and self.visible and len(self.steps) < self.capacity and self._copy_fits():
            self._resize(len(self.steps))

    def _copy_fits(self) -> bool:
        """Return whether the disk has room for a second copy of what was written."""
        try:
            require_space(self.path, len(self.steps) * sum(self._bytes(c) for c in self.columns), self.comm)
        except OutputError:
            return False
        return True

    def _after(self, steps: Sequence[Step], number: int = 0, t: float = 0.0) -> Step:
        """Return the place of the output that follows some steps: behind the last one, on the newest grid."""
        newest = len(self.grids) - 1
        if not steps:
            return Step(number, t, newest, 0, 0)
        last, grid = steps[-1], self.grids[steps[-1].grid]
        return Step(number, t, newest, last.node_row + grid.points, last.cell_row + grid.cells)

    def _bytes(self, col: Column) -> int:
        """Return what one output of a field costs on this rank [bytes]."""
        return 8 * col.components * col.rows(*self.piece.shape[:2])

    def _publish(self) -> None:
        """Make the closed file visible, in place of the one before if there is one."""
        publish(self.path, self.comm, durable=False)
        self.visible = True

    def _resize(self, capacity: int) -> None:
        """Replace the file by one with room for ``capacity`` steps."""
        self.capacity = capacity
        self._build(self.steps, self.grids).close()
        self._publish()

    def _build(self, steps: list[Step], grids: list[Grid]) -> SlabFile:
        """Create the file under its temporary name with the given earlier steps and grids copied into it."""
        self.steps = list(steps)
        require_space(self.path, sum(8 * n for n in self.piece.shape) * 3, self.comm)
        file = SlabFile(partial(self.path), self.comm)
        self._create(file)
        self._describe(file)
        if grids:
            with open_read(self.path) as old:
                self._copy(file, old, steps, grids)
        if len(grids) < len(self.grids):
            self._write_grid(file)
        self._write_steps(file)
        return file

    def _rows(self) -> tuple[int, int]:
        """Return the node and cell rows that all reserved steps take."""
        following, grid = self._after(self.steps), self.grids[-1]
        left = self.capacity - len(self.steps)
        return following.node_row + left * grid.points, following.cell_row + left * grid.cells

    def _create(self, file: SlabFile) -> None:
        """Create all datasets."""
        rows = self._rows()
        parts, points, cells, links = self.grids[-1].end
        create, n = file.create, self.capacity
        for name in GRID_COUNTS:
            create(f"{VTK}/{name}", (parts,), "i8")
        create(f"{VTK}/Points", (points, 3))
        create(f"{VTK}/Connectivity", (links,), "i8")
        create(f"{VTK}/Offsets", (cells + parts,), "i8")
        create(f"{VTK}/Types", (cells,), "u1")
        create(f"{META}/node_ids", (points,), "i8")
        create(f"{META}/cell_ids", (cells,), "i8")
        create(f"{META}/links", (links,), "i8")
        create(f"{META}/step", (n,), "i8")
        file.create_growing(f"{VTK}/Steps/Values", max(len(self.steps), 1), n)
        for name in ("NumberOfParts", "PartOffsets", "PointOffsets"):
            create(f"{VTK}/Steps/{name}", (n,), "i8")
        for name in ("CellOffsets", "ConnectivityIdOffsets"):
            create(f"{VTK}/Steps/{name}", (n, 1), "i8")
        for col in self.columns:
            tail = (col.components,) if col.components > 1 else ()
            create(col.path, (col.rows(*rows), *tail))
            create(col.offsets, (n,), "i8")

    def _describe(self, file: SlabFile) -> None:
        """Write attributes and texts."""
        file.attributes(VTK, {"Version": np.array(VERSION), "Type": "UnstructuredGrid"})
        file.attributes(f"{VTK}/Steps", {"NSteps": np.int64(len(self.steps))})
        about = [{k: v for k, v in asdict(c).items() if k != "points" or v} for c in self.columns]
        file.attributes(META, {"format_version": np.int64(FORMAT_VERSION), "kind": "fields"})
        for name, text in {
            **self.texts,
            "fields": json.dumps(about),
            "vtk_type": str(self.piece.vtk_type),
        }.items():
            file.text(f"{META}/{name}", text)
        for col in self.columns:
            file.attributes(col.path, {"unit": col.unit, "shape": col.shape})

    def _write_grid(self, file: SlabFile) -> None:
        """Write the newest grid."""
        grid, piece, write = self.grids[-1], self.piece, file.write
        rank = self.comm.rank
        first = (grid.point + self._starts[0], grid.cell + self._starts[1], grid.link + self._starts[2])
        for name, n in zip(GRID_COUNTS, piece.shape, strict=True):
            write(f"{VTK}/{name}", grid.part + rank, np.array([n], dtype=np.int64))
        write(f"{VTK}/Points", first[0], piece.points)
        write(f"{META}/node_ids", first[0], piece.node_ids)
        write(f"{META}/cell_ids", first[1], piece.cell_ids)
        write(f"{VTK}/Types", first[1], np.full(piece.shape[1], piece.vtk_type, dtype=np.uint8))
        write(f"{VTK}/Connectivity", first[2], piece.links.ravel())
        # XDMF knows no partitions: its links count through all of them
        write(f"{META}/links", first[2], piece.links.ravel() + self._starts[0])
        # every part has one entry more than it has cells
        per_cell = piece.links.shape[1]
        write(f"{VTK}/Offsets", first[1] + grid.part + rank, per_cell * np.arange(piece.shape[1] + 1))
        self._empty(file, grid, self.comm.size)

    def _empty(self, file: SlabFile, grid: Grid, used: int) -> None:
        """Let the parts of a grid from number ``used`` on have no points and no cells."""
        none = np.zeros(grid.parts - used, dtype=np.int64)
        for name in GRID_COUNTS:
            file.write_root(f"{VTK}/{name}", grid.part + used, none)
        file.write_root(f"{VTK}/Offsets", grid.cell + grid.cells + grid.part + used, none)

    def _write_steps(self, file: SlabFile) -> None:
        """Write where each step finds its grid and data, for all reserved steps."""
        table = list(self.steps)
        while len(table) < self.capacity:
            table.append(self._after(table))
        grids = [self.grids[s.grid] for s in table]
        columns: dict[str, Any] = {
            "NumberOfParts": [g.parts for g in grids],
            "PartOffsets": [g.part for g in grids],
            "PointOffsets": [g.point for g in grids],
            "CellOffsets": [[g.cell] for g in grids],
            "ConnectivityIdOffsets": [[g.link] for g in grids],
        }
        for name, values in columns.items():
            file.write_root(f"{VTK}/Steps/{name}", 0, np.array(values, dtype=np.int64))
        file.write_root(f"{VTK}/Steps/Values", 0, np.array([s.t for s in self.steps]))
        file.write_root(f"{META}/step", 0, np.array([s.number for s in table], dtype=np.int64))
        for col in self.columns:
            rows = [col.rows(s.node_row, s.cell_row) for s in table]
            file.write_root(col.offsets, 0, np.array(rows, dtype=np.int64))

    def _copy(self, file: SlabFile, old: Any, steps: list[Step], grids: list[Grid]) -> None:
        """Copy earlier grids and steps from the visible file, each rank its share of the rows."""
        _, points, cells, links = grids[-1].end
        last = steps[-1] if steps else None
        used = (
            (last.node_row + grids[last.grid].points, last.cell_row + grids[last.grid].cells)
            if last
            else (0, 0)
        )
        sizes = {f"{VTK}/Points": points, f"{META}/node_ids": points}
        sizes |= {f"{VTK}/Types": cells, f"{META}/cell_ids": cells}
        sizes |= {f"{VTK}/Connectivity": links, f"{META}/links": links}
        sizes |= {c.path: c.rows(*used) for c in self.columns}
        for name, n in sizes.items():
            self._copy_rows(file, old, name, n)
        for earlier, now in zip(grids, self.grids, strict=False):
            self._copy_parts(file, old, earlier, now)

    def _copy_parts(self, file: SlabFile, old: Any, earlier: Grid, now: Grid) -> None:
        """Copy the table of a grid's parts to where it is now; parts that it did not have are empty."""
        for name in GRID_COUNTS:
            self._copy_rows(file, old, f"{VTK}/{name}", earlier.parts, earlier.part, now.part)
        rows = earlier.cells + earlier.parts
        self._copy_rows(file, old, f"{VTK}/Offsets", rows, earlier.cell + earlier.part, now.cell + now.part)
        self._empty(file, now, earlier.parts)

    def _copy_rows(
        self, file: SlabFile, old: Any, name: str, n: int, source: int = 0, target: int = 0
    ) -> None:
        """Copy ``n`` rows of a dataset from one row on to another, in equal shares and bounded pieces."""
        size, rank = self.comm.size, self.comm.rank
        begin, end = n * rank // size, n * (rank + 1) // size
        for k in range(-(-n // (size * COPY)) + 1):
            a, b = min(begin + k * COPY, end), min(begin + (k + 1) * COPY, end)
            file.write(name, target + a, old[name][source + a : source + b])


def even(grids: Sequence[Grid]) -> list[Grid]:
    """Return the same grids, each with as many parts as the one with the most."""
    parts = max(grid.parts for grid in grids)
    return [replace(grid, part=i * parts, parts=parts) for i, grid in enumerate(grids)]


def commit(path: Path, n: int, step: Step) -> None:
    """Let readers see output ``n``, whose data are in the file already (one rank only).

    VTK trusts ``NSteps`` when it makes room for the times, so ``NSteps`` must never be behind their number:
    the file is closed between the two changes, which fixes their order.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    values = f"{VTK}/Steps/Values"
    file = SlabFile(path, MPI.COMM_SELF, "r+")
    file.write(f"{META}/step", n, np.array([step.number], dtype=np.int64))
    file.modify(f"{VTK}/Steps", "NSteps", n + 1)
    file.close()
    file = SlabFile(path, MPI.COMM_SELF, "r+")
    file.extend(values, n + 1)
    file.write(values, n, np.array([step.t]))
    file.close()


def forget(comm: MPI.Comm, paths: Sequence[Path]) -> None:
    """Delete files whose steps a restart is going to repeat. Collective."""
    if comm.rank == 0:
        for path in paths:
            path.unlink(missing_ok=True)
    comm.Barrier()
