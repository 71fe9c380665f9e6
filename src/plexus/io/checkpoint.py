"""``checkpoint_<step>.h5``: everything a run needs to go on, on any number of ranks.

A row of a field is stored together with the name of its node, which no partition changes (see
`plexus.io.piece`). Writing is one contiguous slab per rank. For reading, every rank takes an equal slice of
the file and the rows are routed through a directory (node name -> row) that is itself spread over the ranks,
so no rank ever holds more than its share.

The file appears under its name only when it is complete, and is sealed (`plexus.io.seal`): a checkpoint that
is damaged or cut short is recognised before HDF5 opens it, and `latest` goes back to the one before. The line
of the seal names the run.

Files of earlier versions have no seal but a checksum per array,

    s = Σ_i w_i (2i + 1)  mod 2^64   over the 64-bit words w_i.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from plexus.errors import InputError, at_path
from plexus.fileformat import CHECKPOINT, FORMAT_VERSION, META
from plexus.io import seal
from plexus.io.hdf5 import SlabFile, offset, open_read, publish, require_space
from plexus.mesh.exchange import Route, fetch, slice_starts
from plexus.runtime import sound
from plexus.runtime.files import partial
from plexus.runtime.first import on_first

PATTERN = "checkpoint_*.h5"
REMEDY = "restart with the physics and degree of the checkpoint, or begin anew without --restart"
"""What helps when a checkpoint has other rows than the run."""


@dataclass(frozen=True, eq=False)
class Content:
    """What a checkpoint holds.

    Attributes
    ----------
    facts : anything JSON can hold: clock, controller, schedules, random numbers, deck.
    arrays : name -> (rows, k) float64; written: rows of the owned nodes; read: rows in the wanted order.
    sets : name of the array -> name of its row set, e.g. ``nodes``.
    sealed : whether the file's bytes were verified as a whole.
    """

    facts: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    sets: dict[str, str] = field(default_factory=dict)
    sealed: bool = True


def anyone(line: str, step: int) -> bool:
    """Tell that every checkpoint is this run's."""
    return True


def name(folder: Path, step: int) -> Path:
    """Return the file name of a step's checkpoint."""
    return folder / CHECKPOINT.format(step=step)


def write(
    path: Path, comm: MPI.Comm, ids: Mapping[str, np.ndarray], content: Content, line: str = ""
) -> None:
    """Write a checkpoint; it is visible and on the disk when this returns. Collective.

    ``ids`` maps row set -> (rows,) int64 names of this rank's rows; each row belongs to one rank. ``line``
    goes into the seal.

    Raises
    ------
    OutputError
        On all ranks, if storing fails; earlier checkpoints stay.
    """
    # 64 kB for headers and facts
    need = sum(a.nbytes for a in content.arrays.values()) + sum(8 * len(i) for i in ids.values())
    require_space(path, need + (1 << 16), comm)
    file = SlabFile(partial(path), comm, room=seal.ROOM)
    for key, rows in ids.items():
        _write_array(file, f"ids/{key}", np.asarray(rows, dtype=np.int64))
    for key, array in content.arrays.items():
        _write_array(file, f"arrays/{key}", np.asarray(array, dtype=np.float64))
    # HDF5 waits for ever where ranks write different headers, so the first one's facts are those of all
    text = comm.bcast(json.dumps({"facts": content.facts, "sets": content.sets}, default=_plain))
    file.text(f"{META}/facts", text)
    file.attributes(
        META,
        {
            "format_version": np.int64(FORMAT_VERSION),
            "kind": "checkpoint",
            "crc": np.int64(zlib.crc32(text.encode())),
        },
    )
    file.close()
    seal.put(partial(path), comm, line)
    publish(path, comm)


def _write_array(file: SlabFile, key: str, rows: np.ndarray) -> None:
    first, total = offset(file.comm, len(rows))
    file.create(key, (total, *rows.shape[1:]), rows.dtype)
    file.write(key, first, rows)


def checksum(comm: MPI.Comm, first: int, rows: np.ndarray) -> np.uint64:
    """Return the checksum of an array of 8-byte numbers that is spread over the ranks. Collective.

    ``first`` is the number of this rank's first row in the whole array.
    """
    width = int(np.prod(rows.shape[1:], dtype=np.int64))
    words = np.ascontiguousarray(rows).reshape(-1).view(np.uint64)
    # unsigned arithmetic wraps around, which is the modulus 2^64; partial sums of ranks add up to the whole
    weights = np.arange(first * width, first * width + len(words), dtype=np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    mine = np.array([np.dot(words, weights)], dtype=np.uint64)
    total = np.empty_like(mine)
    comm.Allreduce(mine, total, MPI.SUM)
    return np.uint64(total[0])


def _plain(value: Any) -> Any:
    """Turn numbers of NumPy and paths into what JSON knows."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def about(path: Path, comm: MPI.Comm) -> Content:
    """Read what a checkpoint tells of itself, facts and row sets, without the arrays. Collective.

    All bytes of the file are verified.

    Raises
    ------
    InputError
        On all ranks, if the file is missing, damaged or not a checkpoint.
    """
    sealed = seal.verify(path, comm)
    facts, sets = on_first(comm, lambda: _header(path, sealed))
    return Content(facts, {}, sets, sealed)


def _header(path: Path, sealed: bool) -> tuple[dict[str, Any], dict[str, str]]:
    """Return facts and sets of a checkpoint whose arrays have the forms that they need."""
    if not sealed and (damage := sound.problem(path)):
        raise InputError(f"{path}: the checkpoint is damaged ({damage})")
    with open_read(path) as file, at_path(str(path)):
        try:
            about = file[META].attrs if META in file else {}
            if bytes(about.get("kind", b"")) != b"checkpoint":
                raise InputError("this is not a checkpoint of Plexus")
            if int(about["format_version"]) > FORMAT_VERSION:
                raise InputError(f"written by a newer Plexus (format {int(about['format_version'])})")
            raw = bytes(sound.dataset(file, f"{META}/facts", 0, "S")[()])
            if zlib.crc32(raw) != int(about["crc"]):
                raise InputError("the checkpoint is damaged (checksum of its facts)")
            told = json.loads(raw)
            facts, sets = dict(told["facts"]), {str(k): str(v) for k, v in told["sets"].items()}
            _forms(file, sets)
        except (KeyError, TypeError, ValueError, AttributeError, OSError, RuntimeError) as error:
            raise InputError(f"the checkpoint cannot be read ({type(error).__name__}: {error})") from None
    return facts, sets


def _forms(file: Any, sets: Mapping[str, str]) -> None:
    """Refuse arrays that are not rows of 8-byte numbers, as many as there are names."""
    for key, rows in sets.items():
        data, names = sound.dataset(file, f"arrays/{key}", 2, "f"), sound.dataset(file, f"ids/{rows}", 1, "i")
        if len(data) != len(names) or data.dtype != np.float64 or names.dtype != np.int64:
            raise InputError(f"arrays/{key} has another form than it should")


def read(
    path: Path, comm: MPI.Comm, wanted: Mapping[str, np.ndarray], known: Content | None = None
) -> Content:
    """Read a checkpoint. Collective.

    ``wanted`` maps row set -> (rows,) int64 names of the rows that this rank needs, in any order; ``known``
    is what `about` has just returned for the file.

    Raises
    ------
    InputError
        On all ranks, if the file is missing or damaged, does not have these rows, or has rows of a set that
        is not wanted.
    """
    known = known or about(path, comm)
    held = set(known.sets.values())
    for key in sorted(held ^ set(wanted)):
        who, whom = ("checkpoint", "run") if key in held else ("run", "checkpoint")
        raise InputError(f"{path}: the {who} has rows {key!r}, the {whom} has none; {REMEDY}")
    places = {key: _places(path, comm, key, ids, known.sealed) for key, ids in wanted.items()}
    arrays = {}
    for key, row_set in known.sets.items():
        starts, rows = _slice(path, comm, f"arrays/{key}", known.sealed)
        arrays[key] = fetch(comm, starts, places[row_set], rows)[0]
    return Content(known.facts, arrays, known.sets, known.sealed)


def _slice(path: Path, comm: MPI.Comm, key: str, sealed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds of all slices and this rank's slice of an array. Collective.

    Its checksum is verified where the file is not ``sealed``.
    """
    rows, starts, stored, problem = np.empty(0), np.zeros(comm.size + 1, dtype=np.int64), None, None
    try:
        with open_read(path) as file:
            data = file[key]
            starts = slice_starts(len(data), comm.size)
            rows = data[starts[comm.rank] : starts[comm.rank + 1]]
            stored = None if sealed else int(data.attrs["checksum"])
    except (InputError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        problem = str(error) if isinstance(error, InputError) else f"{path}: {key} cannot be read"
    problem = next((p for p in comm.allgather(problem) if p), None)
    if problem is None and not sealed and checksum(comm, int(starts[comm.rank]), rows) != stored:
        problem = f"{path}: the checkpoint is damaged (checksum of {key})"
    if problem:
        raise InputError(problem)
    return starts, rows


def _places(path: Path, comm: MPI.Comm, key: str, wanted: np.ndarray, sealed: bool) -> np.ndarray:
    """Return the row in the file of each wanted name. Collective."""
    starts, names = _slice(path, comm, f"ids/{key}", sealed)
    # the directory: rank h(name) learns all rows of its names
    route = Route(comm, _home(comm, names))
    known = route.forward(names)
    rows = route.forward(np.arange(starts[comm.rank], starts[comm.rank + 1]))
    order = np.argsort(known, kind="stable")
    known, rows = known[order], rows[order]
    # the same function of the name leads a question to the rank that knows the answer
    ask = Route(comm, _home(comm, wanted))
    asked = ask.forward(wanted)
    at = np.minimum(np.searchsorted(known, asked), max(len(known) - 1, 0))
    good = known[at] == asked if len(known) else np.zeros(len(asked), dtype=bool)
    answers = ask.back(np.where(good, rows[at] if len(rows) else -1, -1))
    missing = comm.allreduce(int(np.count_nonzero(answers < 0)))
    if missing:
        raise InputError(
            f"{path}: the checkpoint belongs to another mesh or degree ({starts[-1]} {key} in the file, "
            f"{missing} needed ones are not among them)"
        )
    return answers


def _home(comm: MPI.Comm, names: np.ndarray) -> np.ndarray:
    """Return the directory rank of each name; the golden ratio spreads regular names evenly."""
    mixed = names.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return ((mixed >> np.uint64(33)) % np.uint64(comm.size)).astype(np.int64)


def candidates(folder: Path, comm: MPI.Comm) -> list[Path]:
    """Return the checkpoints of a folder, the newest first. Collective."""
    return list(comm.bcast(_found(folder) if comm.rank == 0 else None))


def _found(folder: Path) -> list[Path]:
    """Return the files with the name of a checkpoint, the newest first (one rank)."""
    numbered = {path: step_of(path) for path in folder.glob(PATTERN)}
    return sorted((path for path, step in numbered.items() if step >= 0), key=lambda p: -numbered[p])


def step_of(path: Path) -> int:
    """Return the step that a file name tells, -1 where it is no checkpoint's."""
    number = re.fullmatch(r"checkpoint_(\d{8,12})\.h5", path.name)
    return int(number[1]) if number else -1


def line_of(path: Path) -> str:
    """Return the line that was written with a checkpoint, without verifying the file (one rank)."""
    return seal.line_of(path)


def prune(folder: Path, comm: MPI.Comm, keep: int, own: Callable[[str, int], bool] = anyone) -> None:
    """Delete all but the newest ``keep`` checkpoints of a run (rank 0 acts).

    ``own`` tells from line and step of a checkpoint whether it is this run's; others are left alone.
    """
    if comm.rank == 0:
        mine = [path for path in _found(folder) if own(seal.line_of(path), step_of(path))]
        for path in mine[keep:]:
            path.unlink(missing_ok=True)
