"""``plexus-post info --follow``: watch a run until it ends, from its progress and its log.

Only files of the run folder are read, so that a run on a cluster can be followed from any machine that sees
the folder.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plexus.fileformat import LOG, PROGRESS
from plexus_post.errors import PostError
from plexus_post.readers.state import State, read, state, words
from plexus_post.text import bar

STEP = re.compile(r"step \d+, t = ")
"""Lines of the log about single steps; the progress tells the same."""


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
