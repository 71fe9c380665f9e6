"""Where a result comes from: versions, source state, machine, command. Collected on rank 0 only."""

from __future__ import annotations

import getpass
import os
import platform
import shlex
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import plexus

COMMAND = "PLEXUS_COMMAND"
"""Environment variable in which `plexus run -n` tells its ranks the command line of the user."""


def collect(ranks: int, seed: int) -> dict[str, Any]:
    """Return the provenance of a run that starts now on ``ranks`` ranks."""
    return {
        "versions": versions(),
        "source": source_state(),
        "host": socket.gethostname(),
        "system": platform.platform(),
        "user": _user(),
        "folder": os.getcwd(),
        "command": command(),
        "ranks": ranks,
        "seed": seed,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "job": os.environ.get("SLURM_JOB_ID", ""),
    }


def command() -> list[str]:
    """Return the command line as the user gave it."""
    if told := os.environ.get(COMMAND):
        return shlex.split(told)
    # `python -m plexus` shows the file that it runs
    name = Path(sys.argv[0]).name
    return ["plexus" if name == "__main__.py" else name, *sys.argv[1:]]


def versions() -> dict[str, str]:
    """Return the versions of Plexus, Python and of those libraries that are in use already."""
    found = {"plexus": plexus.__version__, "python": platform.python_version()}
    for name in ("numpy", "mpi4py", "petsc4py", "h5py", "torch"):
        version = getattr(sys.modules.get(name), "__version__", None)
        if version:
            found[name] = str(version)
    h5py, mpi, petsc = (sys.modules.get(n) for n in ("h5py", "mpi4py.MPI", "petsc4py.PETSc"))
    if h5py is not None:
        found["hdf5"] = h5py.version.hdf5_version
    if mpi is not None:
        found["mpi"] = mpi.Get_library_version().split(",")[0].strip("\0\n ")
    if petsc is not None:
        found["petsc"] = ".".join(str(n) for n in petsc.Sys.getVersion())
    return found


def source_state() -> str:
    """Return commit and cleanness of the source tree that Plexus is imported from, or an empty text."""
    here = Path(plexus.__file__).resolve().parent
    if not _git(here, "ls-files", "__init__.py"):
        return ""  # installed as a package: the version says it all
    # one call for both: `# branch.oid <commit>` and further headers, then a line for each changed file
    lines = _git(here, "status", "--porcelain=v2", "--branch", "--untracked-files=no", ".").splitlines()
    commit = lines[0].removeprefix("# branch.oid ") if lines else ""
    changed = any(not line.startswith("#") for line in lines)
    return commit + ("-modified" if changed else "")


def _git(folder: Path, *words: str) -> str:
    """Return the output of a git command, empty when there is no git or no repository."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry for this user id, as in many containers
        return ""
