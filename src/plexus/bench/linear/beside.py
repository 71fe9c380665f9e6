"""Classes in processes of their own, two at a time where there are cores for both."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from plexus import bench
from plexus.bench.table import Row
from plexus.errors import OutputError
from plexus.launch import environment
from plexus.runtime.interpreter import python

MOST = 2
"""Processes at a time: more would share the memory's speed with each other."""


def measured(names: Sequence[str], alone: Sequence[str] = ()) -> list[Row]:
    """Return the rows of classes; those that are to be ``alone`` come last, one at a time.

    Raises
    ------
    OutputError
        If a class could not store what it has measured.
    RuntimeError
        If one failed; the message holds what it said.
    """
    with ThreadPoolExecutor(min(MOST, len(os.sched_getaffinity(0)))) as pool:
        found = [*pool.map(_class, names), *map(_class, alone)]
    # each names the peers that are absent
    return list(dict.fromkeys(row for rows in found for row in rows))


def _class(name: str) -> list[Row]:
    """Measure one class in another process, and read what it has stored."""
    given = f"linear:{name}"
    command = python("plexus", "bench", given)
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode == OutputError.exit_code:
        raise OutputError(done.stderr.strip())
    if done.returncode:
        raise RuntimeError(f"{given} ended with {done.returncode}:\n{done.stderr}")
    rows = json.loads(bench.stored(given).read_text())["rows"]
    return [Row(**row) for row in rows]
