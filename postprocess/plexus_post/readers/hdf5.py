"""Opening HDF5 files so that a failure is one clear line.

Debian's ``h5py`` is a serial or an MPI build, chosen from the launcher's environment at import.
Reading needs neither: a file is opened without a communicator, which both builds can do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus_post.errors import PostError
from plexus_post.readers import sound

if TYPE_CHECKING:
    import h5py

DAMAGE = (
    AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError, ZeroDivisionError,
    OSError, RuntimeError, MemoryError, UnicodeError,
)  # fmt: skip
"""What reading ends in where a file is not what it should be."""


def open_file(path: Path) -> h5py.File:
    """Open a file for reading, without the lock that could disturb a run that still writes it.

    Raises
    ------
    PostError
        If the file is missing, truncated, damaged or not HDF5, or if its numbers are elsewhere.
    """
    import h5py

    if not path.is_file():
        raise PostError(f"{path}: no such file")
    with reading(path):
        if told := sound.problem(path):
            raise PostError(f"{path}: {told}")
        return h5py.File(path, "r", locking=False)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what reading a damaged file ends in into one clear line.

    Raises
    ------
    PostError
        If the body fails on what the file holds.
    """
    try:
        yield
    except DAMAGE as error:
        told = " ".join(str(error).split())[:200]
        raise PostError(f"{path}: damaged ({type(error).__name__}: {told})") from None


def array(group: Any, name: str, kinds: str, *ndim: int) -> Any:
    """Return a dataset of a group.

    Raises
    ------
    ValueError
        If there is none of this kind of numbers and number of axes.
    """
    data = group[name]
    if getattr(data, "ndim", None) not in ndim or data.dtype.kind not in kinds:
        raise ValueError(f"{name} has another form than it should")
    return data


def text_of(value: Any) -> str:
    """Return an HDF5 attribute or scalar data set as text, whichever string type it has."""
    value = value[()] if hasattr(value, "shape") and not hasattr(value, "decode") else value
    return value.decode() if isinstance(value, bytes) else str(value)
