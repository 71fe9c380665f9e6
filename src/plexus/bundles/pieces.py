"""A file that one rank reads and all ranks receive, piece by piece, into memory that they own.

The first rank fills a slice of the target from the file and broadcasts it as raw bytes, so that neither a
copy of the file nor a message of more than `PIECE` bytes ever exists, however large the file is. Each piece
is announced by the number of bytes that were read: a file that is cut off or cannot be read is the same error
on all ranks.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from plexus.errors import InputError

if TYPE_CHECKING:
    from io import FileIO

    from mpi4py.MPI import Comm

PIECE = 1 << 26
"""Bytes of one message."""


class Pieces:
    """An open file, read from its beginning to its end. Making, `fill` and `drain` are collective.

    Attributes
    ----------
    path, size :
        The first rank's path, and the bytes of its file.
    left :
        Bytes that have not been read.
    hashes :
        What every rank updates with all that it receives; the first is that of the whole file.

    Raises
    ------
    InputError
        On all ranks, if the first one cannot open or read the file.
    """

    def __init__(self, path: str | Path, comm: Comm | None = None, piece: int = PIECE):
        self.comm = comm if comm is not None and comm.size > 1 else None
        self.piece = piece
        self._file: FileIO | None = None
        self.hashes = [hashlib.sha256()]
        self.path = self._told(os.fsencode(str(path)))
        self.size = self.left = self._number(self._open(path))
        self._refuse(self.size)

    def __enter__(self) -> Pieces:
        """Return the open file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    @property
    def sha256(self) -> str:
        """Return the hash of all that has been read."""
        return self.hashes[0].hexdigest()

    def fill(self, target: Any) -> None:
        """Fill a writable buffer of bytes with what comes next. Collective.

        Raises
        ------
        InputError
            On all ranks, if the file ends before or cannot be read.
        """
        view = memoryview(target).cast("B")
        for start in range(0, len(view), self.piece):
            part = view[start : start + self.piece]
            got = self._number(self._read(part))
            self._refuse(got)
            if got != len(part):
                raise InputError(f"{self.path}: cut off while it was read")
            if self.comm is not None:
                self.comm.Bcast(part)
            for each in self.hashes:
                each.update(part)
            self.left -= got

    def drain(self) -> None:
        """Read the rest for its hash only. Collective; raises as `fill` does."""
        spare = bytearray(min(self.piece, self.left))
        while self.left:
            self.fill(memoryview(spare)[: min(len(spare), self.left)])

    @property
    def _reads(self) -> bool:
        return self.comm is None or self.comm.rank == 0

    def _open(self, path: str | Path) -> int:
        """Return the size of the file, or minus the system's error number; 0 on the ranks that receive."""
        if not self._reads:
            return 0
        try:
            # no buffer: pieces are large, and go straight into their target
            self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - `__exit__` closes it
            return os.fstat(self._file.fileno()).st_size
        except OSError as error:
            return -(error.errno or 5)

    def _read(self, part: memoryview) -> int:
        """Return how many bytes were put into the slice, or minus the system's error number."""
        if self._file is None:
            return 0
        got = 0
        try:
            while got < len(part) and (more := self._file.readinto(part[got:])):
                got += more
        except OSError as error:
            return -(error.errno or 5)
        return got

    def _refuse(self, number: int) -> None:
        """Raise the system's error, if that is what the number tells."""
        if number < 0:
            raise InputError(f"{self.path}: {os.strerror(-number)}")

    def _number(self, mine: int) -> int:
        """Return the first rank's number. Collective."""
        if self.comm is None:
            return mine
        buffer = bytearray(mine.to_bytes(8, "little", signed=True))
        self.comm.Bcast(buffer)
        return int.from_bytes(buffer, "little", signed=True)

    def _told(self, mine: bytes) -> str:
        """Return the first rank's text. Collective."""
        if self.comm is None:
            return os.fsdecode(mine)
        buffer = bytearray(self._number(len(mine)))
        if self.comm.rank == 0:
            buffer[:] = mine
        self.comm.Bcast(buffer)
        return os.fsdecode(bytes(buffer))


def same_everywhere(sha256: str, comm: Comm | None) -> None:
    """Refuse what differs between ranks. Collective: the smallest and the largest hash must agree.

    Raises
    ------
    InputError
        If they do not.
    """
    if comm is None or comm.size == 1:
        return
    from mpi4py import MPI

    number = int(sha256[:15], 16)
    low, high = comm.allreduce(number, MPI.MIN), comm.allreduce(number, MPI.MAX)
    if low != high:
        raise InputError(f"weights.sha256: ranks hold different weights ({low:015x}, {high:015x})")
