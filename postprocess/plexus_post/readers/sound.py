"""A look at an HDF5 file before its content is used, by a process that damage may end without harm.

HDF5 may crash or hang on a damaged header. A child (`os.fork`: a millisecond) goes through all groups, links,
attributes and small datasets first. Links and storage outside of the file are not followed: whoever does
reads what a stranger chose, or what damage made.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus_post.errors import PostError

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0
"""Seconds until a look counts as hanging."""
OBJECTS = 100_000
"""More groups and datasets than any result has."""
KINDS = "iufbSO"
"""Kinds of numbers and texts that results have."""


def problem(path: Path) -> str:
    """Return what is wrong with a file in a few words, empty if it is sound."""
    out, into = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # the child uses no lock that another thread of this program could hold
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        _answer(path, into)
    os.close(into)
    with os.fdopen(out, "rb") as pipe:
        told = pipe.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 0:
        return told
    return f"damaged (HDF5 {'hangs' if status == -signal.SIGALRM else 'crashes'} on it)"


def _answer(path: Path, pipe: int) -> None:
    """Write what is wrong with a file into a pipe, and end this process."""
    told = ""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)
        _inspect(path)
    except PostError as error:
        told = f"damaged ({error})"
    except OSError as error:
        told = f"not a complete HDF5 file ({reason(error)})"
    except BaseException as error:  # whatever damage leads to: the child must not go on as its parent
        told = f"damaged ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
    os.write(pipe, told.encode(errors="replace")[:4000])
    os._exit(0)


def reason(error: Exception) -> str:
    """Return the part of an HDF5 message in which a reader is interested."""
    text = " ".join(str(error).split())
    # HDF5 says the general thing first and the cause in brackets
    return text[text.rfind("(") + 1 :].rstrip(")") if "(" in text else text


def _inspect(path: Path) -> None:
    """Read all that HDF5 needs to reach the numbers of a file, and the small parts themselves."""
    import h5py

    with h5py.File(path, "r", locking=False) as file:
        for name, item in _objects(file):
            for key in item.attrs:
                item.attrs[key]
            if isinstance(item, h5py.Dataset):
                _plain(item, name, path.stat().st_size)
                if item.ndim == 0 or item.chunks:
                    item[()]


def _objects(file: Any) -> Iterator[tuple[str, Any]]:
    """Yield names and objects of a file; only what is in it, each once."""
    import h5py

    seen: set[int] = set()
    waiting = [("", file["/"])]
    while waiting:
        name, here = waiting.pop()
        address = h5py.h5o.get_info(here.id).addr
        if address in seen or len(seen) > OBJECTS:
            raise PostError(f"{name or '/'} is there twice")
        seen.add(address)
        yield name, here
        for part in here if isinstance(here, h5py.Group) else ():
            if not isinstance(here.get(part, getlink=True), h5py.HardLink):
                raise PostError(f"{name}/{part} is a link to elsewhere")
            waiting.append((f"{name}/{part}", here[part]))


def _plain(data: Any, key: str, size: int) -> None:
    """Refuse a dataset whose numbers are not inside the file of so many bytes."""
    import h5py

    plist = data.id.get_create_plist()
    if plist.get_external_count() or plist.get_layout() == h5py.h5d.VIRTUAL:
        raise PostError(f"{key} has its numbers in another file")
    if data.dtype.kind not in KINDS or data.shape is None:
        raise PostError(f"{key} holds {data.dtype}, which is not read")
    if plist.get_nfilters() or data.dtype.kind == "O":
        return
    needed = math.prod(data.shape) * data.dtype.itemsize
    begin = data.id.get_offset() if plist.get_layout() == h5py.h5d.CONTIGUOUS else 0
    # a chunk may reserve more than is in use
    stored = data.id.get_storage_size()
    if needed and (begin is None or stored < needed or begin + stored > size):
        raise PostError(f"{key} is longer than the file")
