"""Measured numbers: tables of text with units in the header, and the histories of a run.

A table of text (CSV) has one line of names, each with its unit in brackets, then one row per line; cells are
separated by commas, semicolons or tabs, lines that begin with ``#`` are remarks:

    time [s], T_1 [degC], T_2 [degC]
    0.0, 20.1, 20.0
    0.5, nan, 20.3

Empty cells, ``nan`` and the like were not measured: they are counted, and left out where a column is asked
for. Histories are those of ``series.h5``, whose columns know their units; positions of probes stand beside
them.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from plexus.deck.suggest import nearest
from plexus.deck.units import UnitError, parse_unit, to_unit
from plexus.errors import InputError

_HEAD = re.compile(r"\s*([^\[\]]*?)\s*(?:\[\s*([^\[\]]*?)\s*\])?\s*")
_TIMES = ("time", "Time", "t")
NONE = ("", "nan", "na", "null", "none", "-")
"""How files write that there is no number."""
MOST_TOLD = 5
"""Rows that a message names."""


@dataclass(frozen=True)
class Table:
    """Columns of numbers with their units.

    Attributes
    ----------
    path : the file, and behind a colon the table inside of it.
    columns : name -> values in `units`; NaN where nothing was measured.
    units : name -> unit, empty where none is stated.
    lines : where each row stands: the line of a text, the number of a row of histories.
    facts : name -> array that belongs to the whole table.
    words : name -> sentence on the first cell that holds words; such a column cannot be asked for.
    """

    path: str
    columns: dict[str, np.ndarray]
    units: dict[str, str]
    lines: np.ndarray
    facts: dict[str, np.ndarray] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def numbers(self, name: str) -> np.ndarray:
        """Return a column in its own unit.

        Raises
        ------
        InputError
            If there is no such column, or if it holds words.
        """
        if name not in self.columns:
            raise InputError(
                f"{self.path}:{self._head}: no column is called {name!r}{nearest(name, self.columns, 12)}"
            )
        if name in self.words:
            raise InputError(self.words[name])
        return self.columns[name]

    def column(self, name: str, unit: str) -> np.ndarray:
        """Return a column in a unit.

        Raises
        ------
        InputError
            As of `numbers`; and if it states no unit but has one, or if it has another dimension.
        """
        numbers, stated = self.numbers(name), self.units[name]
        try:
            pure = parse_unit(unit).dimension == parse_unit("1").dimension
            if not stated and not pure:
                text = f"column {name!r} states no unit: write it into the header, such as '{name} [{unit}]'"
                raise InputError(f"{self.path}:{self._head}: {text}")
            factor, offset = (to_unit(v, stated or "1", unit) for v in (1.0, 0.0))
        except UnitError as error:
            raise InputError(f"{self.path}:{self._head}: column {name!r}: {error}") from None
        return numbers * (factor - offset) + offset

    @property
    def _head(self) -> int:
        """Line of the names."""
        return int(self.lines[0]) - 1 if len(self.lines) else 1

    @property
    def time(self) -> str:
        """Name of the column of times.

        Raises
        ------
        InputError
            If there is none.
        """
        found = [name for name in self.columns if name in _TIMES]
        if not found:
            raise InputError(
                f"{self.path}:{self._head}: no column is called time: it tells when rows were measured"
            )
        return found[0]

    def without(self, bad: np.ndarray) -> tuple[Table, str]:
        """Return the table without some rows, a mask, and a sentence that counts and names them."""
        kept = ~bad
        columns = {name: values[kept] for name, values in self.columns.items()}
        rows = ", ".join(str(n) for n in self.lines[bad][:MOST_TOLD]) + ", …" * int(bad.sum() > MOST_TOLD)
        many = "s" if bad.sum() > 1 else ""
        told = f"{self.path}: no number in {bad.sum()} of {len(bad)} rows (line{many} {rows}): left out"
        table = Table(self.path, columns, self.units, self.lines[kept], self.facts, self.words)
        return table, told if bad.any() else ""


def read(path: Path, table: str = "") -> Table:
    """Return a table of text, or with ``table`` one of the histories in an HDF5 file.

    Raises
    ------
    InputError
        With file and line, if it cannot be read.
    """
    if path.suffix in (".h5", ".hdf5"):
        return _histories(path, table)
    if table:
        raise InputError(f"{path}: a table of text has no table {table!r} inside")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: this is no text; tables are CSV or HDF5") from None
    return parse(text, str(path))


def parse(text: str, path: str) -> Table:
    """Return the table that a text holds.

    Raises
    ------
    InputError
        With file and line.
    """
    lines = [
        (n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and line.strip()[0] != "#"
    ]
    if len(lines) < 2:
        raise InputError(f"{path}:1: a table has a line of names and at least one row")
    mark = max(",;\t", key=lines[0][1].count)
    rows = list(csv.reader((line for _, line in lines), delimiter=mark, skipinitialspace=True))
    names, units = _header(rows[0], f"{path}:{lines[0][0]}")
    values, words = np.empty((len(rows) - 1, len(names))), dict[str, str]()
    for k, (row, (n, _)) in enumerate(zip(rows[1:], lines[1:], strict=True)):
        if len(row) != len(names):
            raise InputError(f"{path}:{n}: {len(row)} cells for {len(names)} columns")
        for i, (name, cell) in enumerate(zip(names, row, strict=True)):
            values[k, i] = number = _cell(cell)
            if math.isinf(number):
                words.setdefault(
                    name, f"{path}:{n}: column {name!r}: {cell.strip()!r} is not a finite number"
                )
    columns = {name: values[:, i] for i, name in enumerate(names)}
    return Table(path, columns, units, np.array([n for n, _ in lines[1:]]), words=words)


def _header(cells: Sequence[str], place: str) -> tuple[list[str], dict[str, str]]:
    """Return names and units of the columns."""
    names, units = [], {}
    for cell in cells:
        found = _HEAD.fullmatch(cell)
        if not found or not found[1]:
            raise InputError(f"{place}: {cell.strip()!r} is no name with a unit, such as 'T [degC]'")
        name, unit = found[1], found[2] or ""
        if _number(name) is not None:
            raise InputError(f"{place}: the first line holds names, not numbers: {name!r}")
        try:
            parse_unit(unit)
        except UnitError as error:
            raise InputError(f"{place}: column {name!r}: {error}") from None
        if name in units:
            raise InputError(f"{place}: two columns are called {name!r}")
        names.append(name)
        units[name] = unit
    return names, units


def _cell(text: str) -> float:
    """Return the number in a cell, NaN where nothing was measured, infinity for other words."""
    if text.strip().lower() in NONE:
        return math.nan
    found = _number(text)
    return math.inf if found is None else found


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _histories(path: Path, name: str) -> Table:
    """Return a table of ``series.h5``."""
    from plexus.io.series import Series

    if not path.exists():
        raise InputError(f"{path}: no such file")
    series = Series.resume(path, np.iinfo(np.int64).max)
    if name not in series.tables:
        which = f"no table is called {name!r}" if name else "`table` is missing: which of its histories?"
        raise InputError(f"{path}: {which}{nearest(name, series.tables, 12)}")
    columns = {n: np.asarray(column, dtype=float) for n, column in series.tables[name].items()}
    rows = np.arange(len(next(iter(columns.values()))))
    units = {n: series.units[name].get(n, "") for n in columns}
    return Table(f"{path}:{name}", columns, units, rows, _facts(path, name))


def _facts(path: Path, name: str) -> dict[str, np.ndarray]:
    from plexus.io.hdf5 import open_read

    with open_read(path) as file:
        return {key: np.asarray(value) for key, value in file[name].attrs.items()}
