"""The seal of an HDF5 file: the digest of its bytes in a block before them.

    digest = SHA-256 over a line about the file and the SHA-256 of each block of 16 MB, in their order

HDF5 believes what a file says of itself: a damaged header may end in a crash of the library, in a hang, or in
other numbers. So a sealed file is hashed before HDF5 sees it. The digest stands in the user block, which HDF5
skips and other programs keep: whoever changes the file through HDF5 breaks the seal. Blocks are dealt over
the ranks, and their digests do not depend on how many ranks there are.

Files without a seal begin with the signature of HDF5; `plexus.runtime.sound` judges those.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.errors import InputError, OutputError
from plexus.fileformat import SEAL
from plexus.runtime.files import reason

if TYPE_CHECKING:
    from mpi4py import MPI

ROOM = 512
"""Bytes of the user block, the smallest that HDF5 allows."""
SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""First bytes of a file of HDF5 without user block."""
BLOCK = 1 << 24


def put(path: Path, comm: MPI.Comm, line: str = "") -> None:
    """Seal a closed file that was made with a user block. Collective.

    ``line`` is a short text without line breaks that `line_of` finds again without HDF5.

    Raises
    ------
    OutputError
        On all ranks, if it cannot be read back or written.
    """
    size = comm.bcast(_attempt(lambda: os.stat(path).st_size, path, comm.rank == 0))
    found = size if isinstance(size, str) else _digest(path, comm, size, line)
    problem = found[1] if isinstance(found, tuple) else found
    if not problem:
        text = _text(size, found[0], line)
        problem = comm.bcast(_attempt(lambda: _write(path, text), path, comm.rank == 0))
    if problem:
        raise OutputError(f"cannot write {path}: {problem}")


def verify(path: Path, comm: MPI.Comm) -> bool:
    """Return whether a file is sealed; what is neither sealed nor of HDF5 is refused. Collective.

    Raises
    ------
    InputError
        On all ranks, if the file is missing, cannot be read, or its bytes are not those that were sealed.
    """
    told = comm.bcast(_attempt(lambda: _begin(path), path, comm.rank == 0))
    if isinstance(told, str):
        raise InputError(f"{path}: {told}")
    begin, size = told
    if begin.startswith(SIGNATURE):
        return False
    line = _line(begin)
    digest, problem = _digest(path, comm, size, line)
    if problem:
        raise InputError(f"{path}: {problem}")
    if begin != _text(size, digest, line):
        raise InputError(f"{path}: the file is damaged ({_difference(begin, size)})")
    return True


def line_of(path: Path) -> str:
    """Return the line about a sealed file, without a look at the rest of it; empty for others (one rank)."""
    try:
        told = _begin(path)
    except OSError:
        return ""
    return "" if isinstance(told, str) else _line(told[0])


def identity(path: Path) -> str:
    """Return the digest that a sealed file tells of itself, which only `verify` compares (one rank).

    It is empty for files without a seal.

    Raises
    ------
    InputError
        If the file cannot be read, or has not as many bytes as were sealed.
    """
    told = _attempt(lambda: _begin(path), path)
    if isinstance(told, str):
        raise InputError(f"{path}: {told}")
    begin, size = told
    found = re.search(rb"^bytes (\d{1,19})\nsha256 ([0-9a-f]{64})$", begin, re.MULTILINE)
    if found is None or not begin.startswith(SEAL):
        return ""
    if int(found[1]) != size:
        raise InputError(f"{path}: the file is damaged ({_difference(begin, size)})")
    return found[2].decode()


def _line(begin: bytes) -> str:
    """Return what stands behind ``about`` in a user block."""
    found = re.search(rb"^about (.*)$", begin, re.MULTILINE)
    return found[1].decode("utf-8", "replace") if found and begin.startswith(SEAL) else ""


def _begin(path: Path) -> tuple[bytes, int] | str:
    """Return the first bytes of a file and its size, or why it is none of ours."""
    about = os.stat(path)
    # a pipe or a device would keep the reader waiting
    if not stat.S_ISREG(about.st_mode):
        return "this is not a file"
    with open(path, "rb") as file:
        begin = file.read(ROOM)
    if begin.startswith((SEAL[:8], SIGNATURE)):
        return begin, about.st_size
    return "this is not an HDF5 file, or its beginning is damaged"


def _difference(begin: bytes, size: int) -> str:
    """Return how a file differs from what its seal says."""
    words = begin.removeprefix(SEAL).split()
    there = int(words[1]) if len(words) > 1 and words[1].isdigit() and len(words[1]) < 20 else size
    if there > size:
        return f"it is truncated: {size:,} of {there:,} bytes are left"
    return "its bytes are not those that were written"


def _text(size: int, digest: str, line: str) -> bytes:
    """Return the user block."""
    return (SEAL + f"bytes {size}\nsha256 {digest}\nabout {line}\n".encode()).ljust(ROOM, b"\0")


def _write(path: Path, text: bytes) -> None:
    with open(path, "r+b") as file:
        file.write(text)


def _digest(path: Path, comm: MPI.Comm, size: int, line: str) -> tuple[str, str | None]:
    """Return the digest of what follows the user block, or what is in the way of it. Collective."""
    blocks = -(-max(size - ROOM, 0) // BLOCK)
    begin, end = (blocks * rank // comm.size for rank in (comm.rank, comm.rank + 1))
    told = comm.allgather(_attempt(lambda: _hashes(path, begin, end, size), path))
    problem = next((text for text in told if isinstance(text, str)), None)
    whole = b"" if problem else b"".join([line.encode(), *(b"".join(part) for part in told)])
    return hashlib.sha256(whole).hexdigest(), problem


def _hashes(path: Path, begin: int, end: int, size: int) -> list[bytes]:
    """Return the digests of some blocks."""
    found, buffer = [], bytearray(min(BLOCK, size) if end > begin else 0)
    with open(path, "rb", buffering=0) as file:
        file.seek(ROOM + begin * BLOCK)
        for _ in range(begin, end):
            view, got = memoryview(buffer), 0
            while got < len(buffer) and (more := file.readinto(view[got:])):
                got += more
            found.append(hashlib.sha256(view[:got]).digest())
    return found


def _attempt(work: Callable[[], Any], path: Path, here: bool = True) -> Any:
    """Return what ``work`` returns on the ranks that shall do it, or the system's reason as text."""
    if not here:
        return None
    try:
        return work()
    except FileNotFoundError:
        return "no such file"
    except OSError as error:
        return reason(error, path)
