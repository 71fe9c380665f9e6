"""Whole runs as a user starts them: ``plexus run`` or a script, in processes of their own, timed."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from plexus.fileformat import SUMMARY
from plexus.launch import environment, prefix
from plexus.runtime.interpreter import python


@dataclass(frozen=True)
class Job:
    """One finished job: wall seconds with interpreter start, and what it told about itself."""

    seconds: float
    facts: dict[str, Any]

    def phases(self, *names: str) -> float:
        """Return the seconds that the slowest rank spent in phases, added up."""
        return sum(self.facts["phases"].get(n, {}).get("longest", 0.0) for n in names)


def plexus(deck: Mapping[str, Any], ranks: int, folder: Path, command: str = "run") -> Job:
    """Run a deck on a number of ranks, or ``train`` its closure.

    Raises
    ------
    RuntimeError
        If the run failed; the message holds what it said.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file, out = folder / "deck.yaml", folder / "run"
    file.write_text(yaml.safe_dump(dict(deck)))
    # one rank needs no launcher, on either side of a comparison
    ours = ["-n", str(ranks)] if ranks > 1 else []
    # the clock runs from before the interpreter starts until it has ended
    seconds, _ = timed(python("plexus", command, str(file), *ours, "-o", str(out)), None)
    return Job(seconds, json.loads((out / SUMMARY).read_text()))


def script(python: str, path: Path, arguments: Sequence[str], ranks: int, env: Mapping[str, str]) -> Job:
    """Run a script whose last line of output is a JSON object with its facts."""
    start = prefix(ranks) if ranks > 1 else []
    seconds, text = timed([*start, python, str(path), *arguments], {**environment(), **env})
    return Job(seconds, json.loads(text.strip().splitlines()[-1]))


def timed(command: Sequence[str], env: Mapping[str, str] | None) -> tuple[float, str]:
    """Return the wall seconds and the output of a command.

    Raises
    ------
    RuntimeError
        If it failed.
    """
    # compiled modules are kept between runs, as Python does by default: the compiler is not what is measured
    kept = {k: v for k, v in (env or os.environ).items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    done = subprocess.run(command, env=kept, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return seconds, done.stdout
