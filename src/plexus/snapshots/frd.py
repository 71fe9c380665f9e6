"""Results of CalculiX, ``.frd``: ASCII blocks of fixed columns with six digits.

A block ``2C`` holds number and position of each node; blocks ``100C`` hold one field of one increment, with
time and, after lines that begin with -4 and -5, a line of a number and up to six values per node. Numbers of
nodes are ten columns wide, values twelve. Source: G. Dhondt, CalculiX CrunchiX User's Manual, chapter
"Node point coordinates block" and "Nodal results block". Binary files (format 2, 3) are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plexus.deck.params import Field
from plexus.errors import InputError
from plexus.registry import register
from plexus.snapshots.base import FileParams, FileSnapshots

Array = np.ndarray
LONG = 1
"""Format whose numbers of nodes have ten columns."""
WIDTH = {0: 5, LONG: 10}
"""Format -> columns of the number of a node."""


class FrdParams(FileParams):
    """Parameters of `Frd`."""

    field: str = Field("DISP", description="name of the block with the displacement")


@register("snapshots", "frd", FrdParams)
class Frd(FileSnapshots):
    """Displacements at the increments of a CalculiX job (`*NODE FILE` with `U`)."""

    def open(self, path: Path) -> FrdResults:
        """Find the blocks of the file."""
        try:
            return FrdResults(path, self.params.field)
        except (OSError, ValueError, IndexError) as error:
            raise InputError(f"{path.name}: this is no complete ASCII .frd of CalculiX ({error})") from None


class FrdResults:
    """The blocks of a file; the lines of one are read when they are asked for."""

    digits = 6

    def __init__(self, path: Path, field: str):
        self.path, self.field = path, field
        self.times: list[float] = []
        self._steps: list[Block] = []
        nodes: Block | None = None
        time = 0.0
        with path.open("rb") as file:
            while line := file.readline():
                if line.startswith(b"    2C"):
                    nodes = Block.read(file, line)
                elif line.startswith(b"  100C"):
                    time, head = float(line[12:24]), line
                elif line.startswith(b" -4") and line[5:13].split()[0].decode() == field:
                    self.times.append(time)
                    self._steps.append(Block.read(file, head))
        if nodes is None:
            raise ValueError("no block of nodes")
        if not self._steps:
            raise InputError(f"{path.name}: no block {field}; write it with `*NODE FILE` and `U`")
        self._nodes, self.count = nodes, nodes.count
        self._ids = nodes.ids(path)

    def points(self, start: int, stop: int) -> Array:
        """Return the positions of some nodes, (k, 3)."""
        return self._nodes.numbers(self.path, start, stop)

    def values(self, step: int, start: int, stop: int) -> Array:
        """Return the displacements of some nodes at an increment, (k, 3)."""
        block = self._steps[step]
        if block.count != self.count or (block.ids(self.path, start, stop) != self._ids[start:stop]).any():
            raise InputError(
                f"{self.path.name}: {self.field} at t = {self.times[step]:g} s is not given at all nodes"
            )
        return block.numbers(self.path, start, stop)


class Block:
    """Lines of equal length with a node's number and three numbers or more."""

    def __init__(self, begin: int, length: int, count: int, width: int):
        self.begin, self.length, self.count, self.width = begin, length, count, width

    @classmethod
    def read(cls, file: Any, head: bytes) -> Block:
        """Find the lines behind a head, and go to their end."""
        kind = int(head[73:75])
        if kind not in WIDTH:
            raise ValueError("binary blocks; write ASCII ones")
        begin, line = file.tell(), file.readline()
        while line.startswith(b" -5"):
            begin, line = file.tell(), file.readline()
        length, count = len(line), int(head[24:36])
        file.seek(begin + length * count)
        if file.readline().strip() != b"-3":
            raise ValueError("a block ends too early, or its lines differ in length")
        return cls(begin, length, count, WIDTH[kind])

    def ids(self, path: Path, start: int = 0, stop: int | None = None) -> Array:
        """Return the numbers of nodes, (k,) int64."""
        text = self._text(path, start, self.count if stop is None else stop)
        return _column(text, 3, 3 + self.width).astype(np.int64)

    def numbers(self, path: Path, start: int, stop: int) -> Array:
        """Return three numbers per line, (k, 3)."""
        text, first = self._text(path, start, stop), 3 + self.width
        columns = [_column(text, first + 12 * c, first + 12 * (c + 1)) for c in range(3)]
        return np.stack(columns, axis=1).astype(float)

    def _text(self, path: Path, start: int, stop: int) -> Array:
        """Return lines as characters, (k, length) of S1."""
        with path.open("rb") as file:
            file.seek(self.begin + self.length * start)
            found = file.read(self.length * (stop - start))
        return np.frombuffer(found, dtype="S1").reshape(-1, self.length)


def _column(text: Array, start: int, stop: int) -> Array:
    """Return some columns of lines as words, (k,)."""
    return np.ascontiguousarray(text[:, start:stop]).view(f"S{stop - start}")[:, 0]


EXAMPLE: dict[str, Any] = {"file": "cube.frd", "unit": "mm"}
