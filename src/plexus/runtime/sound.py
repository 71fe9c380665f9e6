"""What a file of HDF5 must be like before its content is used: its own plain datasets, wholly inside it.

Links to elsewhere, storage in other files, virtual datasets, filters other than sums, and texts of variable
length are in none of our files. Whoever follows them reads what a stranger chose, or what damage made.

HDF5 may crash or hang on a damaged header. A file that is not sealed (`plexus.io.seal`) is therefore looked
at in a process of its own first: ``python -m plexus.runtime.sound FILE ...`` prints what is wrong, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py

from plexus.errors import InputError
from plexus.fileformat import Unsound, examine, require_plain
from plexus.runtime.files import reason
from plexus.runtime.interpreter import python

PATIENCE = 120.0
"""Seconds until a look at some files counts as hanging."""
TOGETHER = 200
"""Files that one process looks at."""


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
    try:
        require_plain(h5py, place, key, os.path.getsize(file.filename), kinds)
    except Unsound as error:
        raise InputError(str(error)) from None
    return place


def inspect(path: Path) -> None:
    """Read all that HDF5 needs to reach the numbers of a file, and the small parts themselves.

    Raises
    ------
    InputError
        Without the file's name, if something in it is not sound.
    """
    try:
        examine(h5py, path, "iufS")
    except Unsound as error:
        raise InputError(str(error)) from None
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
