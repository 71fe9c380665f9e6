"""Rows of files as samples: units, rows without numbers, times outside the run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from plexus.errors import InputError
from plexus.learning.data._tables import Array, Column, read
from plexus.learning.data._units import converted
from plexus.learning.samples import Samples

if TYPE_CHECKING:
    from plexus.learning.session import Session
    from plexus.protocols import Port

FEW = 5
"""Rows that are named where some are left out."""


class Rows(NamedTuple):
    """The rows of all files: port -> values, group and time of each."""

    ports: dict[str, np.ndarray]
    group: np.ndarray
    time: np.ndarray
    told: list[str]


def rows(session: Session, params: Any) -> Samples:
    """Return this rank's rows of the files. Collective: the first rank reads.

    Raises
    ------
    InputError
        On all ranks, if a file lacks a column, states a unit of another kind, or has no row that is left.
    """
    part, comm = session.part, session.ctx.comm
    inputs, outputs = ({p.name: p for p in ports} for ports in (part.inputs, part.outputs))
    time = session.deck.time
    run_end = time.end if time is not None else None
    found = comm.bcast(_read(params, {**inputs, **outputs}, run_end) if comm.rank == 0 else None)
    if isinstance(found, str):
        raise InputError(found)
    for line in found.told:
        session.ctx.log.warn(line)
    team, total = session.team, len(found.time)
    mine = slice(team.rank, None, team.size)

    def named(ports: Mapping[str, Port]) -> dict[str, torch.Tensor]:
        taken = {name: found.ports[name][mine] for name in ports if name in found.ports}
        return {
            name: torch.from_numpy(values.copy()).to(session.ctx.device) for name, values in taken.items()
        }

    return Samples(
        torch.arange(total)[mine], torch.from_numpy(found.group[mine].copy()),
        torch.from_numpy(found.time[mine].copy()), named(inputs), named(outputs),
        total=total, rank=team.rank, ranks=team.size, measured=tuple(n for n in inputs if n in found.ports),
    )  # fmt: skip


def _read(params: Any, ports: Mapping[str, Port], run_end: float | None) -> Rows | str:
    """Return the rows of all files, or what is wrong with them."""
    try:
        return _joined(params, ports, run_end)
    except (InputError, OSError) as error:
        return str(error)


def _joined(params: Any, ports: Mapping[str, Port], run_end: float | None) -> Rows:
    """Return the rows of all files behind each other."""
    parts = [_of_file(Path(file), params, ports, run_end) for file in params.files]
    group = np.concatenate([np.full(len(p.time), n) for n, p in enumerate(parts)])
    if not len(group):
        raise InputError(
            "no row is left to learn from:\n" + "\n".join(line for p in parts for line in p.told)
        )
    every = {name: np.concatenate([p.ports[name] for p in parts]) for name in parts[0].ports}
    return Rows(every, group, np.concatenate([p.time for p in parts]), [t for p in parts for t in p.told])


def _of_file(path: Path, params: Any, ports: Mapping[str, Port], run_end: float | None) -> Rows:
    """Return the rows of one file that can be used, and say which cannot."""
    columns = dict(params.columns)
    names = [n for c in (*columns.values(), params.time) if c for n in (c.name, c.imaginary) if n]
    table = read(path, list(dict.fromkeys(names)))
    told: list[str] = []
    keep = _numbers(path, table, told)
    count = len(keep)
    time = _values(path, table, params.time, "s", keep) if params.time else np.zeros(int(keep.sum()))
    lines = next(iter(table.values())).lines
    inside = _inside(path, time, params, run_end, told, None if lines is None else lines[keep])
    found = {}
    for port, column in columns.items():
        value = _values(path, table, column, ports[port].unit, keep)
        if column.imaginary:
            other = column.model_copy(update={"name": column.imaginary, "imaginary": None})
            value = value + 1j * _values(path, table, other, ports[port].unit, keep)
        found[port] = value[inside]
    if not count:
        told.append(f"{path}: no rows")
    return Rows(found, np.zeros(0), time[inside], told)


def _numbers(path: Path, table: Mapping[str, Column], told: list[str]) -> np.ndarray:
    """Return which rows have a number in every column, and name those that have none."""
    keep = np.ones(len(next(iter(table.values())).values), dtype=bool)
    for name, column in table.items():
        bad = ~np.isfinite(column.values)
        if bad.any():
            keep &= ~bad
            told.append(f"{path}: column {name} has no number in {_counted(bad, column.lines)}: left out")
    return keep


def _inside(
    path: Path, time: Array, params: Any, run_end: float | None, told: list[str], lines: np.ndarray | None
) -> np.ndarray:
    """Return which rows are at times that are taken, and count those at times that the run does not have."""
    if params.time is None:
        return np.ones(len(time), dtype=bool)
    beyond = (time < 0) | (time > (np.inf if run_end is None else run_end * (1 + 1e-12)))
    if beyond.any():
        last = "" if run_end is None else f" to {run_end:g} s"
        told.append(f"{path}: {_counted(beyond, lines)} at times outside the run, 0{last}: left out")
    end = np.inf if params.end is None else params.end
    return ~beyond & (time >= params.start) & (time <= end)


def _counted(which: np.ndarray, lines: np.ndarray | None) -> str:
    """Return the number of rows and the first of them: by their lines in a text, else counted from 1."""
    at = np.flatnonzero(which)
    places, name = (at + 1, "row") if lines is None else (lines[at], "line")
    more = ", ..." if len(places) > FEW else ""
    first = f"{name}{'s'[: len(places) > 1]} {', '.join(map(str, places[:FEW]))}{more}"
    return f"{len(places)} of {len(which)} rows ({first})"


def _values(path: Path, table: Mapping[str, Column], column: Any, unit: str, keep: np.ndarray) -> Array:
    """Return the numbers of a column in a unit.

    Raises
    ------
    InputError
        If file and deck state different units, or one of another kind than is asked for.
    """
    values, stated, _ = table[column.name]
    what = f"{path}: column {column.name}"
    if stated and column.unit and converted(np.ones(1), stated, column.unit, what) != 1:
        raise InputError(f"{what} is in {stated}, the deck says {column.unit}")
    return converted(values[keep], column.unit or stated, unit, what)
