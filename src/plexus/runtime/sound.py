"""What a file of HDF5 must be like before its content is used: its own plain datasets, wholly inside it.

Links to elsewhere, storage in other files, virtual datasets, filters other than sums, and texts of variable
length are in none of our files. Whoever follows them reads what a stranger chose, or what damage made.

HDF5 may crash or hang on a damaged header. A file that is not sealed (`plexus.io.seal`) is therefore looked
at in a process of its own first: ``python -m plexus.runtime.sound FILE ...`` prints what is wrong, as JSON.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py

from plexus.errors import InputError
from plexus.runtime.files import reason
from plexus.runtime.interpreter import python

PATIENCE = 120.0
"""Seconds until a look at some files counts as hanging."""
TOGETHER = 200
"""Files that one process looks at."""
OBJECTS = 100_000
"""More groups and datasets than any file of ours has."""


def dataset(file: Any, key: str, ndim: int | None = None, kinds: str = "iuf") -> Any:
    """Return a plain dataset of an open file.

    Raises
    ------
    InputError
        Without the file's name, if there is none of this name, number of axes and kind of numbers, or if its
        numbers are not in this file.
    """
    place = file
    for part in key.strip("/").split("/"):
        link = place.get(part, getlink=True) if isinstance(place, h5py.Group) else None
        if not isinstance(link, h5py.HardLink):
            raise InputError(f"{key} is {'missing' if link is None else 'a link to elsewhere'}")
        place = place[part]
    if not isinstance(place, h5py.Dataset) or ndim not in (None, place.ndim):
        raise InputError(f"{key} has another form than it should")
    _plain(place, key, os.path.getsize(file.filename), kinds)
    return place


def _plain(data: Any, key: str, size: int, kinds: str) -> None:
    """Refuse a dataset whose numbers are not, as they are, inside the file of so many bytes."""
    plist = data.id.get_create_plist()
    if plist.get_external_count() or plist.get_layout() == h5py.h5d.VIRTUAL:
        raise InputError(f"{key} has its numbers in another file")
    filters = {plist.get_filter(i)[0] for i in range(plist.get_nfilters())}
    # sums of chunks change nothing about the numbers
    if filters - {h5py.h5z.FILTER_FLETCHER32} or data.dtype.kind not in kinds or data.shape is None:
        raise InputError(f"{key} holds {data.dtype}, which is not read")
    needed = math.prod(data.shape) * data.dtype.itemsize
    begin = data.id.get_offset() if plist.get_layout() == h5py.h5d.CONTIGUOUS else 0
    # a chunk may reserve more than is in use
    stored = data.id.get_storage_size()
    if needed and (begin is None or stored < needed or begin + stored > size):
        raise InputError(f"{key} is longer than the file")


def _objects(file: Any) -> Iterator[tuple[str, Any]]:
    """Yield names and objects of a file; only what is in it, each once."""
    seen: set[int] = set()
    waiting = [("", file["/"])]
    while waiting:
        name, here = waiting.pop()
        address = h5py.h5o.get_info(here.id).addr
        if address in seen or len(seen) > OBJECTS:
            raise InputError(f"{name or '/'} is there twice")
        seen.add(address)
        yield name, here
        for part in here if isinstance(here, h5py.Group) else ():
            if not isinstance(here.get(part, getlink=True), h5py.HardLink):
                raise InputError(f"{name}/{part} is a link to elsewhere")
            waiting.append((f"{name}/{part}", here[part]))


def inspect(path: Path) -> None:
    """Read all that HDF5 needs to reach the numbers of a file, and the small parts themselves.

    Raises
    ------
    InputError
        Without the file's name, if something in it is not sound.
    """
    try:
        with h5py.File(path, "r", locking=False) as file:
            for name, item in _objects(file):
                for key in item.attrs:
                    item.attrs[key]
                if isinstance(item, h5py.Dataset):
                    _plain(item, name, path.stat().st_size, "iufS")
                    if item.ndim == 0 or item.chunks:
                        item[()]
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, UnicodeError) as error:
        raise InputError(f"it cannot be read ({reason(error, path)})") from None


def problems(paths: Sequence[Path]) -> list[str | None]:
    """Return what is wrong with each file, found by a process of its own; None for those that are sound."""
    found: list[str | None] = []
    while len(found) < len(paths):
        told, end = _asked(paths[len(found) :])
        found += told
        # the file after the last answer has ended the process
        if len(found) < len(paths):
            found.append(end)
    return found


def problem(path: Path) -> str | None:
    """Return what is wrong with one file, as `problems` does."""
    return problems([path])[0]


def _asked(paths: Sequence[Path]) -> tuple[list[str | None], str]:
    """Return the answers of a process that looks at files one after the other, and how it ended."""
    # the child is no rank of this job
    mine = ("OMPI_", "PMI_", "PMIX_", "SLURM_", "HYDRA_", "MPI_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(mine)}
    names = [os.fspath(path.absolute()) for path in paths[:TOGETHER]]
    command = python("plexus.runtime.sound", *names)
    end = "HDF5 crashes on it"
    try:
        out = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE
        ).stdout
    except subprocess.TimeoutExpired as error:
        out, end = error.stdout or b"", "HDF5 hangs on it"
    except OSError as error:
        out, end = b"", f"it could not be looked at ({error.strerror})"
    # a line that is cut off is no answer
    told = [json.loads(line) for line in out.decode().split("\n")[:-1]]
    return told, end


def main(paths: Sequence[str]) -> int:
    """Print for each file what is wrong with it, as JSON; null where nothing is."""
    for path in paths:
        told = None
        try:
            inspect(Path(path))
        except InputError as error:
            told = str(error)
        print(json.dumps(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
