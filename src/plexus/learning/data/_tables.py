"""Columns of numbers from files of other programs: CSV, HDF5, VTKHDF."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from plexus.errors import InputError
from plexus.fileformat import META
from plexus.io import snapshots, tables
from plexus.io.hdf5 import open_read

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
    return {name: Column(table.numbers(name), table.units[name]) for name in names}


def read_hdf5(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """Return datasets by their paths, all axes in one; an attribute ``unit`` or ``units`` states the unit."""
    return _opened(path, lambda file: {name: _dataset(path, file, name) for name in names})


def read_vtkhdf(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """Return point or cell data, step by step where there are several; ``time`` is the time of each row."""
    return _opened(path, lambda file: _of_run(path, names) if META in file else _of_others(path, file, names))


def _of_run(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """Return fields that a run has written (`plexus.io.snapshots`): the rows of its steps only."""
    times, found = snapshots.times(path), {}
    counts = np.ones(len(times), dtype=int)
    for name in names:
        if name != TIME:
            shots = snapshots.read(path, name)
            counts = np.array([shot.values.size for shot in shots], dtype=int)
            values = [shot.values.reshape(-1) for shot in shots]
            found[name] = Column(np.concatenate([*values, np.zeros(0)]), shots[0].unit if shots else "")
    return found | ({TIME: Column(times.repeat(counts), "s")} if TIME in names else {})


def _of_others(path: Path, file: h5py.File, names: Sequence[str]) -> dict[str, Column]:
    """Return what other programs have written: data whose rows all steps share evenly."""
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
    unit = found.attrs.get("unit", found.attrs.get("units", ""))
    text = unit.decode() if isinstance(unit, bytes) else str(unit)
    return Column(np.asarray(found[()], dtype=float).reshape(-1), text)


READERS = {".csv": read_csv, ".h5": read_hdf5, ".hdf5": read_hdf5, ".vtkhdf": read_vtkhdf}
"""Ending of a file -> what reads it."""
