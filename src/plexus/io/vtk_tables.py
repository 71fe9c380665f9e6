"""Point and cell data of VTKHDF files, ours and those of other programs, as columns of rows.

What is read: `UnstructuredGrid`, `PolyData` and `ImageData` with any number of partitions and steps, and
`PartitionedDataSetCollection` and `MultiBlockDataSet` of these. Rows stand block by block, in each step by
step. Points and cells that a partition repeats of another (`vtkGhostType`) are left out. Layout: VTK, "VTKHDF
File Format" (docs.vtk.org, version 2.3 of the format).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from plexus.deck.suggest import nearest
from plexus.errors import InputError

Array = np.ndarray[Any, np.dtype[np.float64]]
ROOT, TIME, GHOST = "VTKHDF", "time", "vtkGhostType"
"""Group of the data, name of the times of the steps as a column, and array that marks repeated rows."""
BLOCKS = ("PartitionedDataSetCollection", "MultiBlockDataSet")
DATA = ("UnstructuredGrid", "PolyData", "ImageData")
TOPOLOGIES = ("Vertices", "Lines", "Polygons", "Strips")
AXES = {
    2: ("x", "y"), 3: ("x", "y", "z"), 4: ("xx", "xy", "yx", "yy"), 6: ("xx", "yy", "zz", "xy", "yz", "xz"),
    9: ("xx", "xy", "xz", "yx", "yy", "yz", "zx", "zy", "zz"),
}  # fmt: skip
"""Names of components by their number, in VTK's order; of 6 a symmetric tensor's."""


def read(path: Path, file: h5py.File, names: Sequence[str]) -> dict[str, tuple[Array, str]]:
    """Return name -> numbers of all rows, and the unit that the file states.

    Raises
    ------
    InputError
        With the file and what is missing, of another kind, or not as the format has it.
    """
    if ROOT not in file:
        raise InputError(f"{path}: this is no VTKHDF file: it has no group {ROOT}")
    blocks = list(_blocks(path, file[ROOT], ROOT))
    try:
        return {name: _joined([block.column(name, names) for block in blocks]) for name in names}
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise InputError(f"{path}: the file is not as VTKHDF has it ({error})") from None


def _joined(parts: Sequence[tuple[Array, str]]) -> tuple[Array, str]:
    """Return the rows of all blocks behind each other."""
    return np.concatenate([values for values, _ in parts]), next((unit for _, unit in parts if unit), "")


def _blocks(path: Path, group: Any, name: str) -> Iterator[Block]:
    """Yield the sets of data in a group, those of collections in their order."""
    kind = text_of(group.attrs.get("Type", ""))
    if kind in DATA:
        yield Block(path, group, name, kind)
    elif kind in BLOCKS:
        # the assembly beside the blocks, a tree of links to them, has no type
        inner = {
            key: item for key, item in group.items() if isinstance(item, h5py.Group) and "Type" in item.attrs
        }
        for key in sorted(inner, key=lambda key: int(inner[key].attrs.get("Index", 0))):
            yield from _blocks(path, inner[key], f"{name}/{key}")
    else:
        told = f"data of type {kind!r} are not read" if kind else "it does not tell the type of its data"
        raise InputError(f"{path}: {name}: {told}; {', '.join((*DATA, *BLOCKS))} are")


class Block:
    """One set of data.

    Parameters
    ----------
    path, group, name
        The file, the group in it, and its name.
    kind
        One of `DATA`.
    """

    def __init__(self, path: Path, group: Any, name: str, kind: str):
        self.path, self.group, self.name, self.kind = path, group, name, kind
        self.steps = group.get("Steps")
        values = np.asarray([] if self.steps is None else self.steps["Values"], dtype=float)
        # more room may be reserved than steps are written
        self.count = 1 if self.steps is None else int(self.steps.attrs.get("NSteps", len(values)))
        self.times = values[: self.count]

    def column(self, name: str, beside: Sequence[str]) -> tuple[Array, str]:
        """Return a column and its unit; that of times has the rows of the first other one of ``beside``."""
        if name == TIME and self.steps is not None:
            other = next((n for n in beside if n != TIME), None)
            where = "PointData" if other is None else self._found(other)[0]
            rows = [int(self._kept(where, step).sum()) for step in range(self.count)]
            return self.times.repeat(rows), "s"
        where, field, component = self._found(name)
        data = self.group[where][field]
        parts = [
            self._step(where, data, field, s)[self._kept(where, s), component] for s in range(self.count)
        ]
        unit = text_of(data.attrs.get("unit", data.attrs.get("units", "")))
        return np.concatenate([*parts, np.zeros(0)]), unit

    def _found(self, name: str) -> tuple[str, str, int]:
        """Return location, field and number of the component that a name means.

        Raises
        ------
        InputError
            If there is none, or if it has several components and names none of them.
        """
        known: list[str] = []
        for where in ("PointData", "CellData"):
            for field, data in self.group.get(where, {}).items():
                count = self._components(where, data, field)
                ends = AXES.get(count, tuple(map(str, range(count))))
                parts = [field] if count == 1 else [f"{field}_{end}" for end in ends]
                if data.dtype.kind in "fiub" and field != GHOST:
                    if name in parts:
                        return where, field, parts.index(name)
                    if name == field:
                        raise InputError(
                            f"{self.path}: {name} has {count} components: name one of {', '.join(parts)}"
                        )
                    known += parts
        of = "" if self.name == ROOT else f"{self.name}: "
        extra = "it has no steps, and so no times; " if name == TIME else ""
        raise InputError(f"{self.path}: {of}{extra}no field is called {name!r}{nearest(name, known, 20)}")

    def _components(self, where: str, data: Any, field: str) -> int:
        """Return the number of components of a field."""
        if self.kind != "ImageData":
            return int(np.prod(data.shape[1:], dtype=int))
        return int(np.prod(self._image(where, data, field)[1:], dtype=int))

    def _image(self, where: str, data: Any, field: str) -> tuple[int, ...]:
        """Return the number of rows of an image in one step, and the shape of one of them."""
        low, high = np.asarray(self.group.attrs["WholeExtent"]).reshape(3, 2).T
        size = tuple(int(n) for n in (high - low + (where == "PointData"))[::-1])
        # an axis without extent has one layer of cells
        size = tuple(max(n, 1) for n in size)
        axes = data.shape if data.shape[: len(size)] == size else data.shape[1:]
        if axes[: len(size)] != size:
            raise InputError(f"{self.path}: {field} has the shape {data.shape}, its image {size}")
        return int(np.prod(size)), *axes[len(size) :]

    def _step(self, where: str, data: Any, field: str, step: int) -> Array:
        """Return the rows of a field in a step, (rows, components)."""
        offsets = self.steps.get(f"{where}Offsets", {}) if self.steps is not None else {}
        if self.kind == "ImageData":
            rows, *_ = shape = self._image(where, data, field)
            moves = data.size != int(np.prod(shape))
            at = int(offsets[field][step]) if field in offsets else step
            return np.asarray(data[at] if moves else data, dtype=float).reshape(rows, -1)
        rows = self._rows(where, step)
        first = (
            0
            if self.steps is None
            else int(offsets[field][step])
            if field in offsets
            else self._first(where, step)
        )
        if first + rows > len(data):
            raise InputError(
                f"{self.path}: step {step} of {field} ends at row {first + rows}, there are {len(data)}"
            )
        return np.asarray(data[first : first + rows], dtype=float).reshape(rows, -1)

    def _first(self, where: str, step: int) -> int:
        """Return where the geometry of a step begins, and with it data without offsets of their own."""
        return int(np.sum(self.steps["PointOffsets" if where == "PointData" else "CellOffsets"][step]))

    def _rows(self, where: str, step: int) -> int:
        """Return the number of points or cells of a step, over its partitions."""
        if self.kind == "ImageData":
            return self._image(where, *self._any(where))[0]
        groups = [self.group]
        if self.kind == "PolyData" and where == "CellData":
            groups = [self.group[name] for name in TOPOLOGIES if name in self.group]
        counts = [
            group["NumberOfPoints" if where == "PointData" else "NumberOfCells"][()] for group in groups
        ]
        if self.steps is None:
            return int(sum(part.sum() for part in counts))
        first = int(self.steps["PartOffsets"][step]) if "PartOffsets" in self.steps else 0
        parts = int(self.steps["NumberOfParts"][step]) if "NumberOfParts" in self.steps else None
        return int(sum(part[first : None if parts is None else first + parts].sum() for part in counts))

    def _any(self, where: str) -> tuple[Any, str]:
        """Return some field at a location, and its name."""
        field = next(iter(self.group[where]))
        return self.group[where][field], field

    def _kept(self, where: str, step: int) -> np.ndarray:
        """Return which rows of a step are no copies of those of another partition."""
        if GHOST in self.group.get(where, {}):
            return self._step(where, self.group[where][GHOST], GHOST, step)[:, 0] == 0
        return np.ones(self._rows(where, step), dtype=bool)


def text_of(value: Any) -> str:
    """Return an attribute as text."""
    return value.decode() if isinstance(value, bytes) else str(value)
