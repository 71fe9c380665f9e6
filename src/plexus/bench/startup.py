"""From ``plexus run`` to the first solver step: seconds, and files that each rank opens.

Thousands of ranks that each open hundreds of files bring a shared file system to its knees before anything is
computed. Python reports every file that it opens (modules, decks, data) to a hook in each process; shared
libraries are opened by the loader and counted from the process's map of memory; strace, where it is
installed, counts the calls of both.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from plexus.bench.table import Row
from plexus.fileformat import SUMMARY
from plexus.runtime.interpreter import python

RANKS = (1, 2, 4)
DECK = {
    "plexus": 1,
    "mesh": {"type": "box", "cell": "triangle", "cells": [32, 32]},
    "physics": {"type": "diffusion", "coefficient": 1, "source": 1},
    "boundary": [{"on": "exterior", "u": 0}],
}
NEEDS_TORCH = DECK | {
    "physics": {
        "type": "manufactured",
        "model": {"type": "diffusion", "coefficient": 1},
        "exact": {"u": "sin(pi*x)*sin(pi*y)"},
    }
}
"""A deck whose source is differentiated automatically."""
HOOK = Path(__file__).with_name("peers") / "opens.py"
CALL = re.compile(r"openat\(.*= (-?\d+)")


@dataclass(frozen=True)
class Start:
    """The start of one rank: seconds from `plexus run` to its first solve, and what it has opened by then.

    ``torch`` tells whether it was imported at all, also after the start.
    """

    rank: int
    seconds: float
    opens: Sequence[str]
    libraries: int
    torch: bool


def run() -> list[Row]:
    """Return the figures on one and several ranks."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        deck = folder / "startup.yaml"
        deck.write_text(yaml.safe_dump(DECK))
        # the first run compiles kernels and byte code, which later ones find
        starts(deck, 1, folder / "warm")
        for ranks in RANKS:
            rows += _rows(starts(deck, ranks, folder / f"n{ranks}"), ranks, deck)
        rows += _traced(deck, max(RANKS), folder / "traced")
        deck.write_text(yaml.safe_dump(NEEDS_TORCH))
        (needy,) = starts(deck, 1, folder / "torch")
        rows.append(
            Row("1 rank, a deck that differentiates: ranks that import torch", float(needy.torch), "ranks")
        )
    return rows


def _rows(found: Sequence[Start], ranks: int, deck: Path) -> list[Row]:
    """Return the rows of one number of ranks; the deck is read on rank 0 only, torch on none."""
    label = f"{ranks} rank{'s' * (ranks > 1)}"
    readers = sum(any(path == str(deck) for path in s.opens) for s in found if s.rank > 0)
    files = [len(s.opens) for s in found]
    rest = [len(s.opens) for s in found if s.rank > 0]
    rows = [
        Row(f"{label}: plexus run to first solver step", max(s.seconds for s in found), "s"),
        Row(f"{label}: files that Python opens on rank 0", files[0], "files"),
        Row(f"{label}: shared libraries, most on a rank", max(s.libraries for s in found), "files"),
        Row(
            f"{label}: ranks that import torch",
            sum(s.torch for s in found),
            "ranks",
            0,
            not any(s.torch for s in found),
        ),
    ]
    if rest:
        rows.insert(2, Row(f"{label}: the same on other ranks, most", max(rest), "files"))
        rows.append(Row(f"{label}: ranks above 0 that open the deck", readers, "ranks", 0, readers == 0))
    return rows


def starts(deck: Path, ranks: int, folder: Path, around: Sequence[str] = ()) -> list[Start]:
    """Run a deck and return the start of each rank, in order.

    Parameters
    ----------
    deck
        The deck to run.
    ranks
        On how many ranks; one rank needs no launcher.
    folder
        Where the run folder and the notes go.
    around
        A command line that starts the program, e.g. strace.

    Raises
    ------
    RuntimeError
        If the run failed; the message holds what it said.
    """
    notes, hook, out = (folder / part for part in ("notes", "hook", "run"))
    for place in (notes, hook):
        place.mkdir(parents=True)
    shutil.copy(HOOK, hook / "sitecustomize.py")
    path = os.pathsep.join(filter(None, [str(hook), os.environ.get("PYTHONPATH", "")]))
    # byte code goes to a place of its own, so that a tree that changes or may not be written is no matter
    cache = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder.parent / "bytecode")}
    env = {**os.environ, **cache, "PYTHONPATH": path, "PLEXUS_OPENS": str(notes)}
    many = ["-n", str(ranks)] if ranks > 1 else []
    command = [*around, *python("plexus", "run", str(deck), *many, "-o", str(out))]
    begin = time.time()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    first = json.loads((out / SUMMARY).read_text())["first_step_seconds"]
    found = [json.loads(file.read_text()) for file in notes.glob("*.json")]
    # beside the ranks, the program that launches them has left its notes, and helpers may have
    mine = [n for n in found if n["rank"] is not None or (ranks == 1 and "run" in n["command"])]
    return sorted((_start(note, begin, first) for note in mine), key=lambda s: s.rank)


def _start(note: Mapping[str, Any], begin: float, first: float) -> Start:
    """Return the start of a rank from its notes; ``first`` counts from the start of its process."""
    end = note["born"] + first
    return Start(
        rank=note["rank"] or 0,
        seconds=end - begin,
        opens=[path for when, path in note["opens"] if when <= end],
        libraries=len(note["libraries"]),
        torch=bool(note["torch"]),
    )


def _traced(deck: Path, ranks: int, folder: Path) -> list[Row]:
    """Return the calls of the system that open files in a whole run, as strace counts them per process."""
    item = f"{ranks} ranks: openat calls of a rank in a whole run"
    strace = shutil.which("strace")
    if strace is None:
        return [Row(item, None, "calls", peer="strace is not installed")]
    folder.mkdir()
    try:
        starts(deck, ranks, folder, [strace, "-ff", "-qq", "-e", "trace=openat", "-o", str(folder / "trace")])
    except RuntimeError as error:  # containers may forbid to trace
        return [Row(item, None, "calls", peer=str(error).splitlines()[0])]
    # threads have files of their own, named by their ids: a process is followed by its main thread
    names = [
        p.stem for p in (folder / "notes").glob("*.json") if json.loads(p.read_text())["rank"] is not None
    ]
    calls = [CALL.findall((folder / f"trace.{pid}").read_text(errors="replace")) for pid in names]
    most = max(calls, key=len)
    missed = sum(int(result) < 0 for result in most)
    return [
        Row(f"{item}, most", len(most), "calls"),
        Row(f"{item}: of these for files that are not there", missed, "calls"),
    ]
