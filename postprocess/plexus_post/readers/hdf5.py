"""Opening HDF5 files so that a failure is one clear line.

Debian's ``h5py`` is a serial or an MPI build, chosen from the launcher's environment at import.
Reading needs neither: a file is opened without a communicator, which both builds can do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus_post.errors import PostError

if TYPE_CHECKING:
    import h5py


def open_file(path: Path) -> h5py.File:
    """Open a file for reading, without the lock that could disturb a run that still writes it.

    Raises
    ------
    PostError
        If the file is missing, truncated or not HDF5.
    """
    import h5py

    if not path.is_file():
        raise PostError(f"{path}: no such file")
    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        raise PostError(f"{path}: not a complete HDF5 file ({reason(error)})") from None


def reason(error: Exception) -> str:
    """Return the part of an HDF5 message in which a reader is interested."""
    text = " ".join(str(error).split())
    # HDF5 says the general thing first and the cause in brackets
    return text[text.rfind("(") + 1 :].rstrip(")") if "(" in text else text


def text_of(value: Any) -> str:
    """Return an HDF5 attribute or scalar data set as text, whichever string type it has."""
    value = value[()] if hasattr(value, "shape") and not hasattr(value, "decode") else value
    return value.decode() if isinstance(value, bytes) else str(value)
