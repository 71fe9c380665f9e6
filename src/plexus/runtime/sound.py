"""What a file of HDF5 must be like before its content is used: its own plain datasets, wholly inside it.

Links to elsewhere, storage in other files, virtual datasets, filters other than sums, and texts of variable
length are in none of our files. Whoever follows them reads what a stranger chose, or what damage made.

HDF5 may crash or hang on a damaged header. A file that is not sealed (`plexus.io.seal`) is therefore looked
at in a process of its own first: ``python -m plexus.runtime.sound FILE ...`` prints what is wrong, as JSON.
A fault or endless work of this process speaks against the file. Any other end does not: who stops a run ends
the processes beside it, too.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py

from plexus.errors import InputError, PlexusError
from plexus.fileformat import Unsound, examine, require_plain
from plexus.runtime.files import reason
from plexus.runtime.interpreter import python

PATIENCE = 60
"""Seconds of computing after which the look at one file counts as hanging, however busy the machine is."""
TOGETHER = 200
"""Files that one process looks at."""
TRIES = 3
"""Times that looks may be cut short from outside."""
FAULTS = {
    **dict.fromkeys(
        (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE, signal.SIGILL), "HDF5 crashes on it"
    ),
    signal.SIGXCPU: "HDF5 hangs on it",
}
"""Signals that a process earns by what it does."""


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
    """Return what is wrong with each file, found by a process of its own; None for those that are sound.

    Raises
    ------
    PlexusError
        If the process could not look, or was ended from outside again and again.
    """
    found: list[str | None] = []
    tries = 0
    while len(found) < len(paths):
        asked = paths[len(found) : len(found) + TOGETHER]
        told, code = _asked(asked)
        found += told
        if len(told) == len(asked):
            continue
        if -code in FAULTS:
            # the file after the last answer has ended the process
            found.append(FAULTS[signal.Signals(-code)])
            continue
        tries += 1
        if tries == TRIES:
            end = f"with code {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
            raise PlexusError(
                f"{asked[len(told)]}: could not be looked at: the process that does was ended {end}"
            )
    return found


def problem(path: Path) -> str | None:
    """Return what is wrong with one file, as `problems` does."""
    return problems([path])[0]


def _asked(paths: Sequence[Path]) -> tuple[list[str | None], int]:
    """Return the answers of a process that looks at files one after the other, and its exit code."""
    # the child is no rank of this job
    mine = ("OMPI_", "PMI_", "PMIX_", "SLURM_", "HYDRA_", "MPI_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(mine)}
    command = python("plexus.runtime.sound", *(os.fspath(path.absolute()) for path in paths))
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError as error:
        raise PlexusError(f"{paths[0]}: could not be looked at ({error.strerror})") from error
    # a line that is cut off is no answer
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]], done.returncode


def main(paths: Sequence[str]) -> int:
    """Print for each file what is wrong with it, as JSON; null where nothing is."""
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    for path in paths:
        limit = int(time.process_time()) + PATIENCE
        # what the system allows in all may be less
        resource.setrlimit(resource.RLIMIT_CPU, (limit if most < 0 else min(limit, most), most))
        told = None
        try:
            inspect(Path(path))
        except InputError as error:
            told = str(error)
        except Exception as error:  # whatever the content leads to is an answer
            told = f"it cannot be read ({type(error).__name__})"
        print(json.dumps(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
