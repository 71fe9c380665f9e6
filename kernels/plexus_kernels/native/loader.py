"""Compile a kernel for its sizes at first use and keep the library in a cache folder.

The library's name ends in a hash of source, flags and CPU and in one of the compiler, so that a
changed source or another machine never meets a stale one, and a node without compiler can use what another
node has made. A file lock lets one process compile while the others wait; the finished library appears by
rename, which is safe even where locks do not work.
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
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

# no -ffast-math: NaN must reach the guards; contraction to fused multiply-add is exact enough
FLAGS = ("-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-ffp-contract=fast", "-Wno-psabi",
         "-fPIC", "-shared")  # fmt: skip
_SOURCES = Path(__file__).parent


def compiler() -> list[str]:
    """Return the command of the C compiler: ``$CC`` or ``cc``."""
    return shlex.split(os.environ.get("CC", "")) or ["cc"]


def usable(prepare: Callable[[], object], instead: str) -> bool:
    """Return whether kernels can be compiled here, or warn ``instead``, what takes over, and why."""
    try:
        prepare()
    except RuntimeError as e:
        warnings.warn(f"{instead}: {e}", stacklevel=3)
        return False
    return True


@cache
def _version() -> str | None:
    """Return the compiler's command and what it says of itself, None when it does not run."""
    try:
        asked = subprocess.run([*compiler(), "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return shlex.join(compiler()) + asked.stdout


@cache
def _processor() -> str:
    """Return the architecture and the CPU's features, which decide whether a library runs here."""
    features = ""
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        features = next((x for x in lines if x.startswith(("flags", "Features"))), "")
    return f"{platform.machine()} {features}"


@cache
def _folders() -> list[Path]:
    """Return the cache folders in order of preference; one in /tmp counts only if it is this user's."""
    folders = []
    if os.environ.get("PLEXUS_CACHE"):
        folders.append(Path(os.environ["PLEXUS_CACHE"]) / "kernels")
    if os.environ.get("XDG_CACHE_HOME"):
        folders.append(Path(os.environ["XDG_CACHE_HOME"]) / "plexus" / "kernels")
    with contextlib.suppress(RuntimeError):  # an account without a home
        folders.append(Path.home() / ".cache" / "plexus" / "kernels")
    # anyone can create names in the shared temporary folder: trust only what this user owns
    shared = Path(tempfile.gettempdir()) / f"plexus-kernels-{os.getuid()}"
    with contextlib.suppress(OSError):
        shared.mkdir(mode=0o700, exist_ok=True)
        if shared.stat().st_uid == os.getuid() and not shared.is_symlink():
            folders.append(shared)
    return folders


@cache
def cache_folder() -> Path:
    """Return the first cache folder that can be written to.

    Raises
    ------
    RuntimeError
        If not even the folder for temporary files can be written to.
    """
    for folder in _folders():
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
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


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _cached(stem: str) -> Path | None:
    """Return a library in any of the folders, made by this compiler; without one, by any."""
    version = _version()
    name = f"{stem}-*.so" if version is None else f"{stem}-{_digest(version)}.so"
    return next((path for folder in _folders() for path in folder.glob(name)), None)


def _made(source: Path, defines: list[str], stem: str) -> Path:
    """Compile unless another process does so meanwhile."""
    version = _version()
    if version is None:
        raise RuntimeError(f"there is no C compiler: {shlex.join(compiler())} does not run")
    path = cache_folder() / f"{stem}-{_digest(version)}.so"
    with _locked(path.with_suffix(".lock")):
        # the process that held the lock before may have made it
        if not path.exists():
            _compile(source, defines, path)
    return path


@cache
def library(kernel: str, **sizes: int) -> ctypes.CDLL:
    """Return the compiled ``<kernel>.c`` with ``sizes`` as its compile-time constants.

    Raises
    ------
    RuntimeError
        If it is not in a cache and there is no compiler, it fails, or no folder can be written to.
    """
    source, headers = _SOURCES / f"{kernel}.c", sorted(_SOURCES.glob("*.h"))
    defines = [f"-D{name}={value}" for name, value in sorted(sizes.items())]
    shared = [header.read_text() for header in headers]
    key = _digest(source.read_text(), *shared, *FLAGS, *defines, _processor())
    stem = "-".join((kernel, *(f"{k}{v}" for k, v in sorted(sizes.items())), key))
    path = _cached(stem) or _made(source, defines, stem)
    try:
        return ctypes.CDLL(str(path))
    except OSError as e:  # a file system that forbids execution, or a damaged file
        raise RuntimeError(f"the compiled kernel cannot be loaded: {e}") from e
