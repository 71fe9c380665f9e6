"""Starting jobs on several ranks from serial tests of output, restart and reliability."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import crew
from crew import clean_environment, on_ranks

LINEAR = """\
plexus: 1
mesh: {type: box, cell: CELL, cells: CELLS}
physics:
  type: heat
  degree: DEGREE
  material: {conductivity: 2, density: 1, specific_heat: 1}
  source: 1
boundary: [{on: exterior, temperature: "x + 2*y + t"}]
initial: {temperature: "x + 2*y"}
solver: {temperature: {ksp: preonly, preconditioner: lu}}
time: {stepper: theta, end: 0.5 s, step: 0.1 s}
quantities: {mean: {type: mean, of: temperature}}
output:
  - {type: fields, every: 1 steps, fields: [temperature, heat_flux]}
"""
"""Temperature x + 2y + t and heat flux (-2, -4, 0) solve the discrete equations exactly."""

LONG = (
    LINEAR.replace("CELL,", "triangle,")
    .replace("CELLS", "[12, 12]")
    .replace("DEGREE", "1")
    .replace("end: 0.5 s", "end: 1e6 s")
)
"""The same, without an end that anybody would wait for."""


def linear(cell: str, cells: str, degree: int) -> str:
    """Return the deck of the exactly solved problem on a box, or on an interval with y = 0."""
    if cell == "line":
        deck = LINEAR.replace("box, cell: CELL", "interval").replace(" + 2*y", "")
        return deck.replace("CELLS", cells).replace("DEGREE", str(degree))
    return LINEAR.replace("CELL,", f"{cell},").replace("CELLS", cells).replace("DEGREE", str(degree))


def start(ranks: int, arguments: list[str], folder: Path, **more: str) -> subprocess.Popen[str]:
    """Start ``python <arguments>`` on ranks; output goes to ``out.txt`` and ``err.txt`` of the folder."""
    command = [sys.executable, *arguments]
    if ranks > 1:
        command = [*on_ranks(ranks), *command]
    with open(folder / "out.txt", "w") as out, open(folder / "err.txt", "w") as err:
        return subprocess.Popen(
            command, cwd=folder, env=clean_environment(**more), stdout=out, stderr=err, text=True,
            start_new_session=True,
        )  # fmt: skip


def finish(job: subprocess.Popen[str], folder: Path, limit: float = 900) -> tuple[int, str]:
    """Wait for a job; return its exit code and what it wrote to standard error."""
    try:
        code = job.wait(limit)
    except subprocess.TimeoutExpired:
        os.killpg(job.pid, 9)
        raise
    return code, (folder / "err.txt").read_text()


def plexus(folder: Path, deck: str, *arguments: str, ranks: int = 1) -> tuple[int, str]:
    """Run a deck; return exit code and standard error."""
    (folder / "deck.yaml").write_text(deck)
    ended = crew.plexus(folder, "run", "deck.yaml", *arguments, ranks=ranks)
    return ended.code, ended.err


def summary(folder: Path) -> dict:
    """Return ``summary.json``."""
    return json.loads((folder / "summary.json").read_text())
