"""What became of a member, read from its own folder; and the lock of whoever runs it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plexus.fileformat import LOCK as RUN_LOCK
from plexus.fileformat import LOG, PROGRESS, SUMMARY, TRAINING, from_json, special

LOCK, TRIES = ".member.lock", 5
FINISHED = ("done", "degraded")
"""States that are not run again."""
TOLD = ("quantities", "validation", "steps", "bundle", "sha256")
"""Entries of a summary by which members are compared."""
OPEN = ("waiting", "stopped", "interrupted")
"""States that the next `plexus sweep` goes on with."""


@dataclass(frozen=True)
class Status:
    """State of a member.

    Attributes
    ----------
    state
        ``waiting`` (never begun), ``running``, ``interrupted`` (ended without a word, e.g. with the machine),
        or what the summary says: ``done``, ``degraded``, ``stopped``, ``failed``.
    exit_code : of the run; None before its end.
    message : why it failed.
    seconds : wall time of the last attempt.
    quantities : name -> final value.
    summary : what its summary tells of results (`TOLD`).
    """

    state: str
    exit_code: int | None = None
    message: str = ""
    seconds: float | None = None
    quantities: Mapping[str, float] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)


def status(folder: Path) -> Status:
    """Return the status of the member in a folder."""
    if is_locked(folder):
        return Status("running")
    return status_of(read_summary(folder), folder)


def status_of(summary: dict[str, Any], folder: Path) -> Status:
    """Return the status of a member that does not run: what its summary tells, else what its files tell."""
    if not summary:
        begun = any((folder / name).exists() for name in (LOG, PROGRESS)) or has_checkpoint(folder)
        return Status("interrupted" if begun else "waiting")
    return Status(
        str(summary.get("status")), summary.get("exit_code"), str(summary.get("message") or ""),
        summary.get("wall_seconds"), summary.get("quantities") or {},
        {key: summary[key] for key in TOLD if key in summary},
    )  # fmt: skip


def read_summary(folder: Path) -> dict[str, Any]:
    """Return the content of ``summary.json``; empty if there is none."""
    if special(folder / SUMMARY):
        return {}
    try:
        return from_json(dict(json.loads((folder / SUMMARY).read_text("utf-8"))))
    except (OSError, ValueError):
        return {}


def has_checkpoint(folder: Path) -> bool:
    """Return whether a run or training can go on in a folder."""
    return (folder / TRAINING).exists() or next(folder.glob("checkpoint_*.h5"), None) is not None


def lock(folder: Path) -> int | None:
    """Take a member for this process and return the open file that carries the lock; None if it is taken."""
    if _is_written(folder):
        return None
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    for _ in range(TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # perhaps only by someone who looks whether it is taken
            time.sleep(0.02)
        except OSError:  # no locks on this file system: the lock of the run folder has to do
            return handle
        else:
            return handle
    os.close(handle)
    return None


def is_locked(folder: Path) -> bool:
    """Return whether some process runs the member."""
    if _is_written(folder):
        return True
    with suppress(OSError):
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
    return False


def _is_written(folder: Path) -> bool:
    """Return whether a run holds the folder, e.g. one that outlived its `plexus sweep`."""
    with suppress(OSError):
        handle = os.open(folder / RUN_LOCK, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.lockf(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return True
        finally:
            os.close(handle)
    return False
