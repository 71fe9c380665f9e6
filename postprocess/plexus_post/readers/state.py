"""What a run folder says now: whether its run waits, goes on, is lost, or how it ended.

The lock on the folder tells a run that was killed from one that is busy; where the file system shares no
locks between machines, a run of another machine counts as lost after a long silence only.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from plexus.fileformat import LOCK, LOG, PROGRESS, SUMMARY
from plexus_post.errors import PostError
from plexus_post.readers import plain

SILENCE = 300.0
"""Without a sign of life for so long, an unlocked run of another machine counts as lost [s]."""
LOST = 1
"""Exit code of a run that ended without saying how."""


@dataclass(frozen=True)
class State:
    """What a run folder says now: ``waiting``, ``running``, ``lost``, or how the run ended."""

    status: str
    exit_code: int = 0
    message: str = ""

    @property
    def over(self) -> bool:
        """True when nothing more will come."""
        return self.status not in ("waiting", "running")


def state(folder: Path) -> State:
    """Return the state of the run that writes, will write or wrote into a folder."""
    # the lock first: a run that ends between two looks has then left its last words
    held = locked(folder / LOCK)
    progress, summary = read(folder / PROGRESS), read(folder / SUMMARY)
    if held:
        return State("running")
    if summary and not (progress.get("status") == "running" and _newer(folder)):
        return State(
            str(summary.get("status")), int(summary.get("exit_code") or 0), summary.get("message") or ""
        )
    # the progress begins when everything is built, the log before that
    if not progress and not (folder / LOG).exists():
        return State("waiting")
    return State("running") if held is None or _abroad(folder) else State("lost", LOST)


def _newer(folder: Path) -> bool:
    """Return whether the progress is younger than the summary: a restart goes on in this folder."""
    return (folder / PROGRESS).stat().st_mtime > (folder / SUMMARY).stat().st_mtime


def _abroad(folder: Path) -> bool:
    """Return whether the run may be alive on another machine whose locks are not seen here."""
    lock = folder / LOCK
    if not lock.is_file() or lock.read_text(errors="replace") in ("", socket.gethostname()):
        return False
    files = [folder / name for name in (PROGRESS, LOG) if (folder / name).exists()]
    return time.time() - max(f.stat().st_mtime for f in files) < SILENCE


def locked(path: Path) -> bool | None:
    """Return whether a process holds the lock of a run folder; None if that cannot be told."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:
        return None
    try:
        # asks who would be in the way, without taking the lock from anybody
        query = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(handle, fcntl.F_GETLK, query)
        return bool(struct.unpack("hhqqi", answer)[0] != fcntl.F_UNLCK)
    except (OSError, struct.error):
        return None
    finally:
        os.close(handle)


def read(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; empty while there is none that can be read."""
    try:
        return plain.read_json(path, {PROGRESS: plain.PROGRESS_SHAPE}.get(path.name, plain.SUMMARY_SHAPE))
    except PostError:
        return {}


def words(progress: dict[str, Any]) -> str:
    """Return the progress in a line: share, step, time, and when the run will be done."""
    if "step" not in progress:
        return ""
    parts = [
        f"{float(progress.get('share') or 0):4.0%}",
        f"step {progress['step']}, t = {float(progress.get('t') or 0):.4g} s",
    ]
    if progress.get("finish"):
        parts.append(f"done {_when(str(progress['finish']))}")
    return "  ".join(parts)


def _when(text: str) -> str:
    """Return a date as a person says it today: the hour, with the day if that is another one."""
    try:
        finish = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        return f"at {text}"
    today = finish.date() == datetime.now(UTC).astimezone().date()
    return f"at {finish:%H:%M:%S}" if today else f"on {finish:%Y-%m-%d} at {finish:%H:%M}"
