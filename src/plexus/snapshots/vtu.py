"""Results in VTK's XML format: one ``.vtu`` per time and a ``.pvd`` that names them, as many programs write.

Arrays may be text, base64 or raw bytes behind the tree, compressed with zlib or not. Source: the VTK file
formats, Kitware, "XML file formats". A ``.pvtu`` of several pieces is refused: its pieces share nodes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plexus.deck.params import Field
from plexus.errors import InputError
from plexus.registry import register
from plexus.snapshots._vtkxml import Tree, collection
from plexus.snapshots.base import FileParams, FileSnapshots

Array = np.ndarray


class VtuParams(FileParams):
    """Parameters of `Vtu`."""

    field: str = Field("displacement", description="name of the point data with the displacement")


@register("snapshots", "vtu", VtuParams)
class Vtu(FileSnapshots):
    """Displacements at the times of a `.pvd`."""

    def open(self, path: Path) -> VtuResults:
        """Read the names of the files, and the first of them."""
        return VtuResults(path, self.params.field)


class VtuResults:
    """The files of a `.pvd`, of which one at a time is held."""

    def __init__(self, path: Path, field: str):
        self.field = field
        named = collection(path)
        # a first state without displacement is where every history begins
        self.files = [(t, file) for t, file in named if t > 0]
        self.times = [t for t, _ in self.files]
        if not self.files:
            raise InputError(f"{path.name}: it names no file at a time after 0")
        self._first = Tree(self.files[0][1])
        self._points = self._first.points()
        self.count = len(self._points)
        self._held: tuple[int, Array] | None = None
        self.digits = 7 if self._values(0).dtype.itemsize == 4 else 15

    def points(self, start: int, stop: int) -> Array:
        """Return the positions of some nodes, (k, 3)."""
        return self._points[start:stop]

    def values(self, step: int, start: int, stop: int) -> Array:
        """Return the displacements of some nodes at a time, (k, 3)."""
        return self._values(step)[start:stop]

    def _values(self, step: int) -> Array:
        if self._held is None or self._held[0] != step:
            path = self.files[step][1]
            found = (self._first if step == 0 else Tree(path)).point_data(self.field)
            if found.shape[0] != self.count or found.ndim != 2:
                raise InputError(
                    f"{path.name}: {self.field} has the shape {found.shape}, not one vector for each of "
                    f"{self.count:,} nodes"
                )
            whole = np.zeros((self.count, 3), dtype=found.dtype)
            whole[:, : found.shape[1]] = found
            self._held = step, whole
        return self._held[1]


EXAMPLE: dict[str, Any] = {"file": "results.pvd", "unit": "mm"}
