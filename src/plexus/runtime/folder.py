"""The run folder: created, tried for writing, and cleared without losing earlier results.

Policy for a folder that already holds results: a restart goes on in it; a new run first moves everything
that Plexus wrote there (`plexus.runtime.claim`) into ``previous/<n>`` (n counts up). Moving is a rename, so
nothing is copied and nothing is ever overwritten; `previous` is deleted by the user only. Unfinished
``.partial`` files of a run that was killed are worth nothing and are removed. A lock, which ends with the
process that holds it, keeps two runs from writing into one folder.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from plexus.errors import InputError, OutputError
from plexus.fileformat import LOCK, LOG, PARTIAL, SERIES, SUMMARY, SWEEP
from plexus.runtime.claim import PREVIOUS, RUN, claim, found
from plexus.runtime.files import reason, storage_errors

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

PROBE = ".writable"
"""A file that is written to see whether it can be."""
HISTORIES = (SUMMARY, LOG, SERIES, "*.vtkhdf", "*.xdmf")
"""What tells the past of a run, besides its checkpoints."""
_LOCKS: dict[Path, int] = {}
"""Run folders that this process holds, with the open files that carry the locks."""


def continues(folder: Path, restart: str | None) -> bool:
    """Return whether a restart goes on in ``folder``: from ``latest``, or from a file that lies in it."""
    return restart is not None and (restart == "latest" or Path(restart).resolve().parent == folder.resolve())


def prepare(comm: Comm, folder: Path, names: Sequence[str] = RUN, *, keep: bool = False) -> Path | None:
    """Make ``folder`` ready for a run and return where earlier results went. Collective.

    With ``keep`` they stay, because a restart continues them. ``names`` are patterns of what the run writes
    (`plexus.runtime.claim.of_deck`).

    Raises
    ------
    InputError
        On all ranks, if the folder holds a sweep, or a file of somebody else under one of the names.
    OutputError
        On all ranks, if the folder cannot be made or written, or if another run writes into it.
    """
    moved, problem, refused = None, None, None
    if comm.rank == 0:
        try:
            moved = _prepare(folder, names, keep)
        except InputError as error:
            refused = str(error)
        except BlockingIOError:
            problem = f"run folder {folder}: another run is writing there; wait, or choose another folder"
        except OSError as error:
            problem = f"run folder {folder}: {reason(error, folder)}"
    moved, problem, refused = comm.bcast((moved, problem, refused))
    if refused:
        raise InputError(refused)
    if problem:
        raise OutputError(problem)
    return moved


def _prepare(folder: Path, names: Sequence[str], keep: bool) -> Path | None:
    """Create the folder, prove that it can be written, remove leftovers, move earlier results away."""
    if (folder / SWEEP).exists():
        raise InputError(f"run folder {folder} holds a sweep; choose another folder with -o")
    wanted = (*names, PROBE)
    earlier = claim(folder, wanted)
    _lock(folder)
    (folder / (PROBE + PARTIAL)).write_bytes(b"plexus")
    for leftover in found(folder, {*earlier, *wanted}):
        if leftover.name.endswith(PARTIAL):
            leftover.unlink()
    return None if keep else _move_away(folder, earlier)


def _lock(folder: Path) -> None:
    """Take the folder for this process; raises BlockingIOError if another one has it."""
    key = folder.resolve()
    if key not in _LOCKS:
        _LOCKS[key] = os.open(key / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.lockf(_LOCKS[key], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):  # no locks on this file system
            os.close(_LOCKS.pop(key))
            raise
    # where file systems do not share locks between machines, a follower needs to know whose lock it is
    os.ftruncate(_LOCKS[key], 0)
    os.pwrite(_LOCKS[key], socket.gethostname().encode(), 0)


def _move_away(folder: Path, ours: Sequence[str]) -> Path | None:
    """Move earlier results into a new numbered folder; None if there are none."""
    results = [path for path in found(folder, ours) if path.is_file()]
    if not results:
        return None
    place = _numbered(folder)
    for path in results:
        os.rename(path, place / path.name)
    return place


def _numbered(folder: Path) -> Path:
    """Make the next folder for earlier results."""
    numbers = [int(p.name) for p in (folder / PREVIOUS).glob("*") if p.name.isdigit()]
    place = folder / PREVIOUS / str(max(numbers, default=0) + 1)
    place.mkdir(parents=True)
    return place


def set_aside(folder: Path, paths: Sequence[Path], with_histories: bool = True) -> Path:
    """Move results of a run into a new numbered folder, and return that (one rank only).

    A restart that goes back cuts histories and fields; as they are now they are kept there, too.

    Raises
    ------
    OutputError
        If the disk or the folder refuses.
    """
    with storage_errors(folder / PREVIOUS):
        place = _numbered(folder)
        for path in paths:
            os.rename(path, place / path.name)
        kept = {p for pattern in HISTORIES for p in folder.glob(pattern)} if with_histories else set()
        for path in sorted(kept):
            _kept(path, place / path.name)
    return place


def _kept(path: Path, copy: Path) -> None:
    """Keep the present content of a file under another name."""
    # these are replaced as a whole when a run goes on, so that another name of the same file will do
    if path.suffix in (".h5", ".vtkhdf"):
        with suppress(OSError):
            os.link(path, copy)
            return
    shutil.copy2(path, copy)
