"""Columns of numbers from files of other programs: CSV, HDF5, VTKHDF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from plexus.errors import InputError
from plexus.io import tables

if TYPE_CHECKING:
    import h5py

Array = np.ndarray[Any, np.dtype[np.float64]]
ROOT, TIME = "VTKHDF", "time"
"""Group of a VTKHDF file, and the name that the times of its steps have as a column."""


class Column(NamedTuple):
    """One column: numbers (rows,), nan where there is none, and the unit that the file states, if it does."""

    values: Array
    unit: str = ""


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
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise InputError(f"{path}:1: no column {', '.join(missing)}; it has {', '.join(table.columns)}")
    for sentence in (table.words[name] for name in names if name in table.words):
        raise InputError(sentence)
    return {name: Column(table.columns[name], table.units[name]) for name in names}


def read_hdf5(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """Return datasets by their paths, all axes in one; an attribute ``unit`` or ``units`` states the unit."""
    return _opened(path, lambda file: {name: _dataset(path, file, name) for name in names})


def read_vtkhdf(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """Return point or cell data, step by step where there are several; ``time`` is the time of each row."""

    def taken(file: h5py.File) -> dict[str, Column]:
        steps = file.get(f"{ROOT}/Steps")
        found = {}
        for name in names if steps is None else [n for n in names if n != TIME]:
            place = next((p for p in ("PointData", "CellData") if f"{ROOT}/{p}/{name}" in file), "PointData")
            found[name] = _dataset(path, file, f"{ROOT}/{place}/{name}")
        if TIME in names and steps is not None:
            times = np.asarray(steps["Values"], dtype=float)
            rows = len(next(iter(found.values())).values) if found else len(times)
            if rows % len(times):
                raise InputError(f"{path}: {rows} rows are not shared evenly by {len(times)} steps")
            found[TIME] = Column(times.repeat(rows // len(times)), "s")
        return found

    return _opened(path, taken)


def _opened(path: Path, take: Callable[[h5py.File], dict[str, Column]]) -> dict[str, Column]:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return take(file)
    except OSError as error:
        raise InputError(f"{path}: not an HDF5 file, or damaged ({error})") from None


def _dataset(path: Path, file: h5py.File, name: str) -> Column:
    """Return the numbers of a dataset."""
    import h5py

    found = file.get(name)
    if not isinstance(found, h5py.Dataset) or found.dtype.kind not in "fiub":
        there: list[str] = []
        file.visititems(lambda at, item: there.append(at) if isinstance(item, h5py.Dataset) else None)
        raise InputError(f"{path}: {name} is no dataset of numbers; it has {', '.join(there[:20]) or 'none'}")
    unit = found.attrs.get("unit", found.attrs.get("units", ""))
    text = unit.decode() if isinstance(unit, bytes) else str(unit)
    return Column(np.asarray(found[()], dtype=float).reshape(-1), text)


READERS = {".csv": read_csv, ".h5": read_hdf5, ".hdf5": read_hdf5, ".vtkhdf": read_vtkhdf}
"""Ending of a file -> what reads it."""
