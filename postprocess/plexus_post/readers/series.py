"""Histories from ``series.h5``: every group of equally long one-dimensional columns is one table."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.fileformat import META, checksum
from plexus_post.errors import PostError
from plexus_post.readers.hdf5 import open_file, reading, text_of

if TYPE_CHECKING:
    import pandas

INDEX = ("time", "step", "iteration")
"""Columns that number the rows of a table, the preferred one first."""


class SeriesFile:
    """One ``series.h5``.

    Parameters
    ----------
    path : the file; it need not exist, a run without histories has none.
    """

    def __init__(self, path: Path):
        self.path = path

    @cached_property
    def columns(self) -> dict[str, dict[str, str]]:
        """Table name -> column name -> unit."""
        import h5py

        found: dict[str, dict[str, str]] = {}
        if not self.path.is_file():
            return found

        # scalars are texts of the metadata; a column is one-dimensional
        def visit(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and item.ndim == 1 and not name.startswith(META.strip("/")):
                table, _, column = name.rpartition("/")
                found.setdefault(table, {})[column] = text_of(item.attrs.get("unit", b""))

        with open_file(self.path) as file, reading(self.path):
            file.visititems(visit)
            self._verify(file, found)
        return found

    def _verify(self, file: Any, found: dict[str, dict[str, str]]) -> None:
        """Refuse rows that are not those that were written; files of earlier versions have no checksum."""
        stored = file[META].attrs.get("crc") if META in file else None
        if stored is None:
            return
        tables = {t: {c: file[f"{t}/{c}"][:].astype(float) for c in columns} for t, columns in found.items()}
        if int(stored) != checksum(tables, found):
            raise ValueError("its rows are not those that were written")

    def text(self, name: str) -> str:
        """Return a text of the metadata group (``deck``, ``provenance``), empty when there is none."""
        if not self.path.is_file():
            return ""
        with open_file(self.path) as file, reading(self.path):
            item = file.get(f"{META}/{name}")
            return text_of(item) if item is not None else ""

    def positions(self, name: str) -> np.ndarray:
        """Return the positions (k, d) of a table of probes, (0, 0) for other tables."""
        with open_file(self.path) as file, reading(self.path):
            return np.asarray(file[name].attrs.get("positions", np.empty((0, 0))))

    def table(self, name: str) -> pandas.DataFrame:
        """Return a table; its index is the column time, step or iteration, its ``attrs`` hold the units.

        Raises
        ------
        PostError
            If the file has no such table, or its columns differ in length.
        """
        import pandas

        if name not in self.columns:
            known = ", ".join(self.columns) or "none"
            raise PostError(f"{self.path}: no series {name!r}; it holds {known}")
        with open_file(self.path) as file, reading(self.path):
            data = {c: _native(file[f"{name}/{c}"][:]) for c in self.columns[name]}
        if len({len(v) for v in data.values()}) > 1:
            raise PostError(f"{self.path}: columns of {name!r} differ in length")
        frame = pandas.DataFrame(data)
        frame.attrs["units"] = dict(self.columns[name])
        index = next((i for i in INDEX if i in frame), None)
        return frame.set_index(index) if index else frame


def _native(values: np.ndarray) -> np.ndarray:
    """Return text columns as text."""
    return np.array([text_of(v) for v in values]) if values.dtype.kind in "OS" else values
