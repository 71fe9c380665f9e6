"""Files that become visible only when they are complete, and clear messages when storage fails.

A file is written under a temporary name (``.partial`` appended), forced to the disk, and renamed.
The rename is atomic, so a reader sees the old content or the new one, never a mixture, and a crash
leaves the old content in place.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from plexus.errors import OutputError
from plexus.fileformat import PARTIAL, to_json


def partial(path: Path) -> Path:
    """Return the temporary name of a file that is still being written."""
    return path.with_name(path.name + PARTIAL)


def publish(path: Path, *, durable: bool = True) -> None:
    """Make ``path`` visible: force its temporary file to the disk and rename it (one rank only).

    Without ``durable`` the file is not forced to the disk: a crash of the machine, but not one of the run,
    may lose it. This is for files that are soon written again.

    Raises
    ------
    OutputError
        If the disk or the folder refuses.
    """
    with storage_errors(path):
        if durable:
            sync(partial(path))
        os.replace(partial(path), path)
        if durable:
            sync(path.parent)


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a small text file atomically (one rank only).

    Raises
    ------
    OutputError
        If the disk or the folder refuses; an earlier file of this name stays as it was.
    """
    # names of files may hold bytes that are no text
    write_bytes(path, text.encode("utf-8", "backslashreplace"), durable=durable)


def write_bytes(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a small file atomically (one rank only); raises as `write_text` does."""
    try:
        with storage_errors(path):
            partial(path).write_bytes(data)
        publish(path, durable=durable)
    except OutputError:
        with suppress(OSError):
            partial(path).unlink()  # its room may be needed to tell what happened
        raise


def write_json(path: Path, content: dict[str, Any], *, durable: bool = True) -> None:
    """Write a dictionary as readable strict JSON, atomically; numbers of NumPy become plain ones.

    Numbers that are not finite become null (`plexus.fileformat.to_json`).
    """
    plain = to_json(_plain(content))
    text = json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n", durable=durable)


def _plain(value: Any) -> Any:
    """Turn what JSON does not know into what it knows."""
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if hasattr(value, "tolist"):
        return value.tolist()
    return value if value is None or isinstance(value, str | int | float) else str(value)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock, waiting for it; without locks on the file system, go on without."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn any operating system or HDF5 error of the block into an `OutputError` that names the file."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise OutputError(f"cannot write {path}: {reason(error, path)}") from error


def reason(error: BaseException, path: Path) -> str:
    """Return why storing failed, in a person's words.

    HDF5 wraps the system's error in a report of its own library stack, as text; the system's message is
    picked out of it.
    """
    number = getattr(error, "errno", None)
    if number:
        return os.strerror(number)
    found = re.search(r"error message = '([^']+)'", str(error))
    if found:
        return found[1]
    if _free(path.parent) < 1 << 20:
        return "No space left on device"
    if "rite" in str(error):  # MPI-IO keeps the system's reason to itself
        return "the system refused the data (quota, file size limit or a failing disk)"
    return str(error).strip().split("\n")[0]


def require_space(path: Path, needed: int) -> None:
    """Refuse to start a write of ``needed`` bytes that the file system has no room for.

    Raises
    ------
    OutputError
        If less is free; nothing has been written then.
    """
    free = _free(path.parent)
    if needed > free:
        raise OutputError(
            f"cannot write {path}: No space left on device (needs {size(needed)}, {size(free)} free)"
        )


def _free(folder: Path) -> int:
    """Return the bytes that a user may still write in a folder; plenty if the system does not tell."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 1 << 62


def size(n: float) -> str:
    """Return a number of bytes as a person writes it, e.g. ``1.2 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} TB"
