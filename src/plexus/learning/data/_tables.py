"""Columns of numbers from files of other programs: CSV, HDF5, VTKHDF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from plexus.errors import InputError
from plexus.io import tables, vtk_tables
from plexus.io.hdf5 import open_read
from plexus.io.vtk_tables import text_of

Array = np.ndarray[Any, np.dtype[np.float64]]


class Column(NamedTuple):
    """One column: numbers (rows,), nan where there is none, and the unit that the file states, if it does.

    ``lines`` are those of the rows in a text.
    """

    values: Array
    unit: str = ""
    lines: np.ndarray | None = None


def read(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """Return the columns of these names, all of one length.

    Raises
    ------
    InputError
        With the file, and the line, column or dataset that is missing or holds no numbers.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path}: no format is known for {path.suffix or 'no ending'}; {', '.join(READERS)} are"
        )
    found = reader(path, names)
    lengths = {name: len(column.values) for name, column in found.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise InputError(f"{path}: columns are of different length: {told}")
    return found


def read_csv(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """Return columns of a table of text (`plexus.io.tables`)."""
    table = tables.read(path)
    return {name: Column(table.numbers(name), table.units[name], table.lines) for name in names}


def read_hdf5(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """Return datasets by their paths, all axes in one; an attribute ``unit`` or ``units`` states the unit."""
    return _opened(path, lambda file: {name: _dataset(path, file, name) for name in names})


def read_vtkhdf(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """Return point or cell data, step by step where there are several; ``time`` is the time of each row."""
    return _opened(
        path, lambda file: {n: Column(*found) for n, found in vtk_tables.read(path, file, names).items()}
    )


def _opened(path: Path, take: Callable[[h5py.File], dict[str, Column]]) -> dict[str, Column]:
    with open_read(path) as file:
        try:
            return take(file)
        except OSError as error:
            raise InputError(f"{path}: the file is damaged ({error})") from None


def _dataset(path: Path, file: h5py.File, name: str) -> Column:
    """Return the numbers of a dataset."""
    found = file.get(name)
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "fiub":
        there: list[str] = []
        file.visititems(lambda at, item: there.append(at) if isinstance(item, h5py.Dataset) else None)
        raise InputError(f"{path}: {name} is no dataset of numbers; it has {', '.join(there[:20]) or 'none'}")
    unit = text_of(found.attrs.get("unit", found.attrs.get("units", "")))
    return Column(np.asarray(found[()], dtype=float).reshape(-1), unit)


READERS = {".csv": read_csv, ".h5": read_hdf5, ".hdf5": read_hdf5, ".vtkhdf": read_vtkhdf}
"""Ending of a file -> what reads it."""
