"""One HDF5 file written by all ranks together, and the same file read in slices.

With an h5py that knows MPI every rank writes its own rows through MPI-IO. Otherwise rank 0 gathers the rows
piece by piece and writes alone: slower, the same file. `mode_text` says which way is taken.

What makes the writes fast: contiguous datasets whose space is allocated at creation and never filled with
zeros, so that a write touches each byte once; large blocks; no filters (parallel filters of HDF5 before 1.14
lose data). The file keeps the oldest metadata layout, whose small headers are rewritten in place.

A file is created under its temporary name and becomes visible through `publish`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from mpi4py import MPI

from plexus.errors import InputError, OutputError
from plexus.fileformat import PARTIAL
from plexus.runtime import files

PIECE = 1 << 24
"""Bytes that one rank hands over in one call: many enough for the disk, few enough that the memory of a piece
is used again for the next one instead of being asked from the system."""
ALONE = 1 << 20
"""Bytes per rank from which on every rank writes its block by itself; smaller blocks are collected by MPI-IO
on a few ranks and written together. A large block gains nothing by being sent to another rank first."""

LONGEST = 200
"""Bytes of a file's name up to which ranks write through MPI-IO; beyond, rank 0 gathers and writes."""
LIBRARY = ("earliest", "v110")
"""Range of HDF5 file layouts: old readers open the result, and it suits crash safety (see above)."""


def parallel(comm: MPI.Comm) -> bool:
    """Return whether several ranks write through MPI-IO."""
    return comm.size > 1 and bool(h5py.get_config().mpi)


def mode_text(comm: MPI.Comm) -> str:
    """Return one sentence for the log about how files are written."""
    if comm.size == 1:
        return "HDF5: one rank writes"
    return "HDF5: parallel (MPI-IO)" if parallel(comm) else "HDF5: h5py has no MPI, rank 0 gathers and writes"


class Lazy:
    """Rows that are made piece by piece when they are written, so that a large array need not exist twice.

    ``make(a, b)`` returns the rows a … b - 1 as an array of ``shape[1:]`` and ``dtype`` per row.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any, make: Callable[[int, int], np.ndarray]):
        self.shape, self.ndim, self.dtype, self._make = shape, len(shape), np.dtype(dtype), make

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Return a range of rows."""
        begin, end, _ = rows.indices(len(self))
        return np.ascontiguousarray(self._make(begin, end))


class SlabFile:
    """An HDF5 file whose datasets are split over ranks by rows. All methods are collective.

    Parameters
    ----------
    path
        The file that is really opened; callers that create pass the temporary name.
    mode
        ``w`` to create, ``r+`` to go on writing.
    room
        Bytes of a user block before the data of a file that is created.

    Raises
    ------
    OutputError
        From every method and on all ranks, if storing fails on any rank.
    """

    def __init__(self, path: Path, comm: MPI.Comm, mode: str = "w", room: int = 0):
        self.path, self.comm = path, comm
        # Open MPI crashes on longer names
        self._mpio = parallel(comm) and len(os.fsencode(path)) <= LONGEST
        self._file: Any = None
        self._data: dict[str, Any] = {}
        self._do(lambda: self._open(mode, {"userblock_size": room} if room else {}))

    def _open(self, mode: str, more: Mapping[str, Any]) -> None:
        options: dict[str, Any] = {"libver": LIBRARY, **more}
        if self._mpio:
            options |= {"driver": "mpio", "comm": self.comm}
        else:
            options |= {"locking": False}  # a reader that has the file open must not stop the run
        if self._mpio or self.comm.rank == 0:
            self._file = h5py.File(self.path, mode, **options)

    def _do(self, work: Callable[[], Any]) -> None:
        """Run ``work`` and let all ranks fail together if it fails on one."""
        problem = None
        try:
            work()
        except (OSError, RuntimeError) as error:
            problem = files.reason(error, self.path)
        if self.comm.allreduce(problem is not None, MPI.LOR):
            problems = [p for p in self.comm.allgather(problem) if p]
            raise OutputError(f"cannot write {final(self.path)}: {problems[0]}")

    def create(self, name: str, shape: tuple[int, ...], dtype: Any = "f8") -> None:
        """Create a dataset of final size; its content is undefined until it is written."""

        def work() -> None:
            if self._file:
                self._create(name, shape, np.dtype(dtype))

        self._do(work)

    def _create(
        self, name: str, shape: tuple[int, ...], dtype: np.dtype, plist: Any = None, maximum: Any = None
    ) -> None:
        group = self._file.require_group(os.path.dirname(name) or "/")
        kind = h5py.h5t.py_create(dtype, logical=True)
        space = h5py.h5s.create_simple(shape, maximum)
        h5py.h5d.create(
            group.id, os.path.basename(name).encode(), kind, space, dcpl=plist or _dataset_plist()
        )

    def create_growing(self, name: str, n: int, capacity: int, dtype: Any = "f8") -> None:
        """Create a list of ``n`` numbers that `extend` lengthens up to ``capacity`` within reserved space."""

        def work() -> None:
            if self._file:
                # one chunk of the final size: growing changes the extent in the header and nothing else
                plist = _dataset_plist()
                plist.set_chunk((capacity,))
                self._create(name, (n,), np.dtype(dtype), plist, (capacity,))

        self._do(work)

    def extend(self, name: str, n: int) -> None:
        """Let a growing list have ``n`` entries; touches nothing but its header."""
        self._do(lambda: self._file and self._dataset(name).id.set_extent((n,)))

    def _dataset(self, name: str) -> Any:
        """Return a dataset; it stays open until `close`: closing writes, and must report its errors."""
        if name not in self._data:
            self._data[name] = self._file[name]
        return self._data[name]

    def write(self, name: str, start: int, rows: np.ndarray | Lazy) -> None:
        """Write this rank's rows (may be none) from row ``start`` on; blocks of ranks must not overlap."""
        if isinstance(rows, np.ndarray):
            rows = np.ascontiguousarray(rows)
        self._do(
            lambda: self._write_parallel(name, start, rows) if self._mpio else self._gather(name, start, rows)
        )

    def _write_parallel(self, name: str, start: int, rows: np.ndarray | Lazy) -> None:
        data, step = self._dataset(name).id, _rows_per_piece(rows)
        smallest = self.comm.allreduce(len(rows), MPI.MIN)
        alone = smallest * _row_bytes(rows) >= ALONE
        transfer = h5py.h5p.create(h5py.h5p.DATASET_XFER)
        transfer.set_dxpl_mpio(h5py.h5fd.MPIO_INDEPENDENT if alone else h5py.h5fd.MPIO_COLLECTIVE)
        rounds = -(-len(rows) // step)
        if not alone:
            rounds = self.comm.allreduce(rounds, MPI.MAX)
        for k in range(rounds):
            block = rows[k * step : (k + 1) * step]
            space, memory = data.get_space(), h5py.h5s.create_simple(block.shape if len(block) else (1,))
            if len(block):
                space.select_hyperslab((start + k * step, *(0,) * (rows.ndim - 1)), block.shape)
            else:  # this rank has nothing left, but the call is collective
                space.select_none()
                memory.select_none()
                block = np.empty(1, rows.dtype)
            data.write(memory, space, block, dxpl=transfer)

    def _gather(self, name: str, start: int, rows: np.ndarray | Lazy) -> None:
        step = _rows_per_piece(rows)
        # rank 0 takes one piece at a time: its memory does not grow with the number of ranks
        extents = self.comm.gather((start, len(rows)))
        if extents is None:
            for k in range(0, len(rows), step):
                self.comm.Send(rows[k : k + step], 0)
            return
        sink = _Sink(self._dataset(name))
        for k in range(0, len(rows), step):
            sink.put(start + k, rows[k : k + step])
        longest = max((n for _, n in extents[1:]), default=0)
        block = np.empty((min(step, longest), *rows.shape[1:]), rows.dtype)
        for rank, (begin, n) in enumerate(extents[1:], 1):
            for k in range(0, n, step):
                part = block[: min(step, n - k)]
                self.comm.Recv(part, rank)
                sink.put(begin + k, part)
        sink.finish()

    def write_root(self, name: str, start: int, rows: np.ndarray) -> None:
        """Write rows that rank 0 holds; what other ranks pass is ignored."""

        def work() -> None:
            if self.comm.rank == 0:
                self._dataset(name)[start : start + len(rows)] = rows

        self._do(work)

    def text(self, name: str, text: str) -> None:
        """Store a text, the same on all ranks, as a scalar dataset."""
        raw = text.encode()
        # fixed length: HDF5 cannot write texts of variable length in parallel
        kind = h5py.string_dtype("utf-8", max(len(raw), 1))

        def work() -> None:
            if self._file:
                self._create(name, (), kind)
            if self.comm.rank == 0:
                self._dataset(name)[()] = np.array(raw, kind)

        self._do(work)

    def attributes(self, name: str, values: Mapping[str, Any]) -> None:
        """Set attributes of a group (made if needed) or dataset; texts become fixed-length ASCII or UTF-8."""

        def work() -> None:
            if self._file:
                place = self._file[name] if name in self._file else self._file.require_group(name)
                for key, value in values.items():
                    place.attrs[key] = np.bytes_(value.encode()) if isinstance(value, str) else value

        self._do(work)

    def modify(self, name: str, key: str, value: int) -> None:
        """Overwrite one existing integer attribute in place."""
        self._do(lambda: self._file and self._file[name].attrs.modify(key, np.int64(value)))

    def close(self) -> None:
        """Close the file; other programs then see everything that was written."""
        if not self._mpio:
            # through MPI-IO a flush would force all data to the disk, which closing does not
            self._do(lambda: self._file and self._file.flush())
        self._data.clear()
        self._do(lambda: self._file and self._file.close())
        self._file = None


def final(path: Path) -> Path:
    """Return the name that a file has, or will have, when it is complete."""
    return path.with_name(path.name.removesuffix(PARTIAL))


def _dataset_plist() -> Any:
    """Return creation properties: space allocated at once, no filling, no time stamps."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    plist.set_obj_track_times(False)
    return plist


class _Sink:
    """A dataset that keeps the first error for later, so that rank 0 goes on receiving what others send."""

    def __init__(self, data: Any):
        self._data = data
        self._error: Exception | None = None

    def put(self, start: int, rows: np.ndarray) -> None:
        """Store rows unless something failed before."""
        if self._error is None and len(rows):
            try:
                self._data[start : start + len(rows)] = rows
            except (OSError, RuntimeError) as error:
                self._error = error

    def finish(self) -> None:
        """Raise the first error."""
        if self._error is not None:
            raise self._error


def on_root(comm: MPI.Comm, work: Callable[[], Any]) -> None:
    """Run ``work`` on rank 0; an `OutputError` there is raised on all ranks. Collective."""
    problem = None
    if comm.rank == 0:
        try:
            work()
        except OutputError as error:
            problem = str(error)
    problem = comm.bcast(problem)
    if problem:
        raise OutputError(problem)


def publish(path: Path, comm: MPI.Comm, *, durable: bool = True) -> None:
    """Make a closed file visible under its name, see `plexus.runtime.files.publish`. Collective.

    Each rank forces its own part to the disk if it shall be ``durable``: it may sit in the cache of its node.
    """
    if durable and comm.size > 1:
        with suppress(OSError):  # rank 0 does it once more and reports
            files.sync(files.partial(path))
        comm.Barrier()
    on_root(comm, lambda: files.publish(path, durable=durable))


def require_space(path: Path, needed: int, comm: MPI.Comm) -> None:
    """Refuse, on all ranks, to start a write that the file system has no room for. Collective.

    ``needed`` are the bytes that this rank will write; the sum over ranks counts.
    """
    total = comm.allreduce(needed)
    on_root(comm, lambda: files.require_space(path, total))


def open_read(path: Path) -> Any:
    """Open a finished file for reading on this rank alone; use as a context manager.

    Raises
    ------
    InputError
        If the file is missing, no HDF5 file, or shorter than its own header says.
    """
    # HDF5's own message for a missing file is a report of its library stack
    if not path.exists():
        raise InputError(f"{path}: no such file")
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        raise InputError(f"{path}: {_unreadable(str(error))}") from error


def _unreadable(report: str) -> str:
    """Return why HDF5 could not open a file, in a person's words."""
    if "truncated" in report:
        return "the file is truncated (not copied completely, or its disk was full)"
    if "signature" in report:
        return "this is not an HDF5 file, or its beginning is damaged"
    return report.strip().split("\n")[0]


def _rows_per_piece(rows: np.ndarray | Lazy) -> int:
    """Return how many rows go into one call."""
    return max(PIECE // max(_row_bytes(rows), 1), 1)


def _row_bytes(rows: np.ndarray | Lazy) -> int:
    """Return the bytes of one row."""
    return rows.dtype.itemsize * int(np.prod(rows.shape[1:], dtype=np.int64))


def offset(comm: MPI.Comm, n: int) -> tuple[int, int]:
    """Return the first row of this rank's ``n`` rows, and the rows of all ranks. Collective."""
    counts = comm.allgather(n)
    return sum(counts[: comm.rank]), sum(counts)
