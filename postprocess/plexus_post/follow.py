"""``plexus-post info --follow``: watch a run until it ends, from its progress and its log.

Only files of the run folder are read, so that a run on a cluster can be followed from any machine that sees
the folder. The lock on the folder tells a run that was killed from one that is busy; where the file system
shares no locks between machines, a run of another machine counts as lost after a long silence only.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from plexus.fileformat import LOCK, LOG, PROGRESS, SUMMARY
from plexus_post.errors import PostError
from plexus_post.text import bar

SILENCE = 300.0
"""Without a sign of life for so long, an unlocked run of another machine counts as lost [s]."""
LOST = 1
"""Exit code of a run that ended without saying how."""
STEP = re.compile(r"step \d+, t = ")
"""Lines of the log about single steps; the progress tells the same."""


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
        return State(str(summary.get("status")), int(summary.get("exit_code", 0)), summary.get("message", ""))
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
    if not lock.exists() or lock.read_text() in ("", socket.gethostname()):
        return False
    files = [folder / name for name in (PROGRESS, LOG) if (folder / name).exists()]
    return time.time() - max(f.stat().st_mtime for f in files) < SILENCE


def locked(path: Path) -> bool | None:
    """Return whether a process holds the lock of a run folder; None if that cannot be told."""
    try:
        handle = os.open(path, os.O_RDONLY)
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
    """Return the content of a JSON file; empty while there is none."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def follow(
    folder: Path,
    interval: float = 2.0,
    patience: float = 600.0,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Show a run until it ends and return its exit code.

    Parameters
    ----------
    folder
        The run folder; it need not exist yet.
    interval
        Time between two looks [s].
    patience
        How long to wait for a run that has not begun [s].
    sleep
        Waits; tests give another one.

    Raises
    ------
    PostError
        If no run begins in time.
    """
    if folder.is_file():
        folder = folder.parent
    screen, log, waited = _Screen(folder), _Log(folder / LOG), 0.0
    while True:
        now = state(folder)
        for line in log.fresh():
            screen.line(line)
        screen.progress(read(folder / PROGRESS) if now.status == "running" else {})
        if now.over:
            screen.end(now)
            return now.exit_code
        if now.status == "waiting":
            if waited >= patience:
                raise PostError(f"{folder}: no run has begun within {patience:g} s")
            if not waited:
                screen.line(f"waiting for a run in {folder}")
            waited += interval
        sleep(interval)


class _Log:
    """The part of a growing log that has not been shown."""

    def __init__(self, path: Path):
        self._path, self._place = path, 0

    def fresh(self) -> list[str]:
        """Return complete new lines without their times, leaving out those about single steps."""
        try:
            size = self._path.stat().st_size
            # a new run has moved the old log away
            self._place = 0 if size < self._place else self._place
            with self._path.open("rb") as file:
                file.seek(self._place)
                text = file.read()
        except OSError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._place += len(whole)
        lines = [
            re.sub(r"^\s*\d+\.\d+ s  ", "", line) for line in whole.decode(errors="replace").splitlines()
        ]
        return [line for line in lines if not STEP.match(line)]


class _Screen:
    """Lines, and the progress as a bar on a terminal or as a line when it has changed."""

    def __init__(self, folder: Path):
        self._folder, self._shown, self._bar = folder, "", False
        self._terminal = sys.stdout.isatty()

    def line(self, text: str) -> None:
        """Print a line above the bar."""
        if self._bar:
            print("\r\x1b[K", end="")
            self._bar = False
        print(text, flush=True)

    def progress(self, now: dict[str, Any]) -> None:
        """Show how far the run is; nothing if that is what stands there."""
        text = words(now)
        if not text:
            return
        if self._terminal:
            print(f"\r\x1b[K{bar(float(now.get('share') or 0))} {text}", end="", flush=True)
            self._bar = True
        elif text != self._shown:
            self.line(text)
        self._shown = text

    def end(self, last: State) -> None:
        """Say how the run ended."""
        if last.status == "lost":
            self.line(f"{self._folder}: the run was ended from outside; go on with --restart")
        else:
            more = f": {last.message}" if last.message else ""
            self.line(f"{self._folder}: {last.status} (exit code {last.exit_code}){more}")


def words(progress: dict[str, Any]) -> str:
    """Return the progress in a line: share, step, time, and when the run will be done."""
    if "step" not in progress:
        return ""
    parts = [
        f"{float(progress.get('share') or 0):4.0%}",
        f"step {progress['step']}, t = {progress['t']:.4g} s",
    ]
    if progress.get("finish"):
        parts.append(f"done {_when(str(progress['finish']))}")
    return "  ".join(parts)


def _when(text: str) -> str:
    """Return a date as a person says it today: the hour, with the day if that is another one."""
    finish = datetime.fromisoformat(text).astimezone()
    today = finish.date() == datetime.now(UTC).astimezone().date()
    return f"at {finish:%H:%M:%S}" if today else f"on {finish:%Y-%m-%d} at {finish:%H:%M}"
