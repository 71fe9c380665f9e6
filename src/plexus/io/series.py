"""``series.h5``: histories of numbers; a table is a group of columns of equal length.

Rank 0 keeps all rows in memory and rewrites the file as a whole under a temporary name, so that the visible
file always is complete. To keep this cheap for long runs, the file is rewritten only after a pause that is
`PATIENCE` times as long as the last rewriting took.

Tables: ``quantities``, ``steps`` (size of each step), ``solver/<field>`` (iterations of each solve),
``newton/<field>`` and ``krylov/<field>`` (residual norms), ``probes/<name>``, ``transfers``. Each has the
columns ``step`` and ``time`` [s].
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from plexus.errors import InputError
from plexus.fileformat import FORMAT_VERSION, META, checksum
from plexus.io.hdf5 import LIBRARY, open_read
from plexus.runtime.files import write_bytes

PATIENCE = 20.0
"""Rewriting may take 1 part in this many of the run time."""
FIRST = 1.0
"""Shortest pause between two rewritings [s]."""


class Series:
    """The histories of a run; lives on rank 0 only.

    Parameters
    ----------
    path
        The file; ``None`` keeps the rows in memory only.
    """

    def __init__(self, path: Path | None):
        self.path = path
        self.tables: dict[str, dict[str, array[float]]] = {}
        self.units: dict[str, dict[str, str]] = {}
        self.facts: dict[str, dict[str, np.ndarray]] = {}
        self.texts: dict[str, str] = {}
        self._due = 0.0

    def add(self, table: str, row: Mapping[str, float], units: Mapping[str, str] | None = None) -> None:
        """Append a row; new columns get NaN in earlier rows, columns that are left out NaN in this one."""
        columns = self.tables.setdefault(table, {})
        length = max((len(c) for c in columns.values()), default=0)
        for name, value in row.items():
            # rows before the column existed say "not known" rather than zero
            if name not in columns:
                columns[name] = array("d", [np.nan]) * length
            columns[name].append(value)
        for name, column in columns.items():
            if name not in row:
                column.append(np.nan)
        self.units.setdefault(table, {}).update(units or {})

    def last(self, table: str) -> int | None:
        """Return the step of a table's last row, None if it has no row."""
        column = self.tables.get(table, {}).get("step")
        return int(column[-1]) if column else None

    def fact(self, table: str, name: str, values: np.ndarray) -> None:
        """Attach a fixed array to a table, e.g. the positions of its probes."""
        self.facts.setdefault(table, {})[name] = np.asarray(values)

    def cut(self, step: int) -> None:
        """Drop all rows after a step; used by a restart that repeats them."""
        for columns in self.tables.values():
            keep = np.asarray(columns.get("step", array("d"))) <= step
            for name, column in columns.items():
                if len(keep) == len(column):
                    columns[name] = array("d", np.asarray(column)[keep])

    def flush(self, force: bool = False) -> None:
        """Rewrite the file if the pause is over, or at once with ``force``.

        Raises
        ------
        OutputError
            If the file cannot be written; the earlier one stays.
        """
        begin = time.monotonic()
        if self.path is None or (begin < self._due and not force):
            return
        write_bytes(self.path, self._image(), durable=force)
        # cost in proportion: the pause grows with the file
        now = time.monotonic()
        self._due = now + max(FIRST, PATIENCE * (now - begin))

    def _image(self) -> bytes:
        """Return the bytes of the file: HDF5 never meets the disk, whose errors it repeats when it closes."""
        memory = {"driver": "core", "backing_store": False}
        with h5py.File("series", "w", libver=LIBRARY, **memory) as file:
            meta = file.create_group(META)
            meta.attrs["format_version"] = np.int64(FORMAT_VERSION)
            meta.attrs["kind"] = np.bytes_(b"series")
            for name, text in self.texts.items():
                meta.create_dataset(name, data=np.bytes_(text.encode()))
            for table, columns in self.tables.items():
                group = file.require_group(table)
                for name, column in columns.items():
                    data = group.create_dataset(name, data=_typed(name, np.asarray(column)))
                    data.attrs["unit"] = np.bytes_(self.units[table].get(name, "").encode())
                for name, values in self.facts.get(table, {}).items():
                    group.attrs[name] = values
            meta.attrs["crc"] = np.int64(checksum(self.tables, self.units))
            file.flush()
            image: bytes = file.id.get_file_image()
            return image

    @classmethod
    def resume(cls, path: Path, step: int) -> Series:
        """Return the series of an earlier run up to and with ``step``; empty if there is no file.

        Raises
        ------
        InputError
            If the file cannot be read, or its rows are not those that were written.
        """
        series = cls(path)
        if not path.exists():
            return series
        with open_read(path) as file:
            try:
                file.visititems(series._take)
                stored = file[META].attrs.get("crc") if META in file else None
                sound = stored is None or int(stored) == checksum(series.tables, series.units)
            except (KeyError, ValueError, TypeError, OSError, RuntimeError) as error:
                raise InputError(f"{path}: the file is damaged ({type(error).__name__}: {error})") from None
        # files of earlier versions have no checksum
        if not sound:
            raise InputError(f"{path}: the file is damaged (its rows are not those that were written)")
        series.cut(step)
        return series

    def _take(self, name: str, item: Any) -> None:
        """Read one column or text."""
        if isinstance(item, h5py.Dataset) and item.ndim == 0:
            self.texts[name.rpartition("/")[2]] = bytes(item[()]).decode()
        if isinstance(item, h5py.Dataset) and item.ndim == 1:
            table, _, column = name.rpartition("/")
            self.tables.setdefault(table, {})[column] = array("d", item[:].astype(float))
            self.units.setdefault(table, {})[column] = bytes(item.attrs.get("unit", b"")).decode()


COUNTS = ("step", "newton", "iterations", "iteration", "fallback")
"""Columns that hold whole numbers."""


def _typed(name: str, column: np.ndarray) -> np.ndarray:
    """Return counts as integers where all rows have one."""
    return column.astype(np.int64) if name in COUNTS and np.isfinite(column).all() else column
