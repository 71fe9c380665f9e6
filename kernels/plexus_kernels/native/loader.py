"""Compile a kernel for its sizes at first use and keep the library in a cache folder.

The library's name is a hash of source, flags, compiler version and CPU, so that a changed source or
another machine never meets a stale one. A file lock lets one process compile while the others wait;
the finished library appears by rename, which is safe even where locks do not work.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import platform
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FLAGS = ("-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-ffp-contract=fast", "-Wno-psabi",
         "-fPIC", "-shared")  # fmt: skip
_SOURCES = Path(__file__).parent


def compiler() -> list[str]:
    """Return the command of the C compiler: ``$CC`` or ``cc``."""
    return shlex.split(os.environ.get("CC", "")) or ["cc"]


@cache
def _machine() -> str:
    """Describe what decides whether a library runs here: CPU features and compiler version."""
    features = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        features = next((x for x in lines if x.startswith(("flags", "Features"))), "")
    try:
        asked = subprocess.run([*compiler(), "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as e:
        raise RuntimeError(f"no C compiler: {' '.join(compiler())} does not run ({e})") from e
    return "\n".join((platform.machine(), features, asked.stdout))


def _candidates() -> Iterator[Path]:
    """Yield cache folders in order of preference."""
    if os.environ.get("PLEXUS_CACHE"):
        yield Path(os.environ["PLEXUS_CACHE"]) / "kernels"
    if os.environ.get("XDG_CACHE_HOME"):
        yield Path(os.environ["XDG_CACHE_HOME"]) / "plexus" / "kernels"
    with contextlib.suppress(RuntimeError):  # an account without a home
        yield Path.home() / ".cache" / "plexus" / "kernels"
    yield Path(tempfile.gettempdir()) / f"plexus-kernels-{os.getuid()}"


@cache
def cache_folder() -> Path:
    """Return the first cache folder that can be written to and belongs to this user.

    Raises
    ------
    RuntimeError
        If not even the folder for temporary files can be written to.
    """
    for folder in _candidates():
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(folder, os.W_OK) and folder.stat().st_uid == os.getuid():
                return folder
    raise RuntimeError("no folder can be written to for compiled kernels; set PLEXUS_CACHE")


def _compile(source: Path, defines: list[str], library: Path) -> None:
    """Compile into a temporary name, then rename."""
    partial = library.with_suffix(f".{os.getpid()}.partial")
    command = [*compiler(), *FLAGS, *defines, "-o", str(partial), str(source), "-lm"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{shlex.join(command)} failed:\n{done.stderr.strip()}")
        partial.rename(library)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a file lock; a file system without locks is no obstacle."""
    with path.open("w") as f:
        with contextlib.suppress(OSError):
            fcntl.flock(f, fcntl.LOCK_EX)
        yield


@cache
def library(kernel: str, **sizes: int) -> ctypes.CDLL:
    """Return the compiled ``<kernel>.c`` with ``sizes`` as its compile-time constants.

    Raises
    ------
    RuntimeError
        If there is no compiler, it fails, or no folder can be written to.
    """
    source = _SOURCES / f"{kernel}.c"
    defines = [f"-D{name}={value}" for name, value in sorted(sizes.items())]
    text = "\n".join((source.read_text(), (_SOURCES / "lanes.h").read_text(), *FLAGS, *defines, _machine()))
    name = "-".join((kernel, *(f"{k}{v}" for k, v in sorted(sizes.items()))))
    path = cache_folder() / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.so"
    if not path.exists():
        with _locked(path.with_suffix(".lock")):
            if not path.exists():
                _compile(source, defines, path)
    return ctypes.CDLL(str(path))
