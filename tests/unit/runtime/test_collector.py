"""Python's collector stays away while the program starts, and works again during the run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DECK = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [2, 2]}
physics: {type: diffusion, coefficient: 1}
boundary: [{on: left, u: 0}]
"""
PROGRAM = """
import gc
from plexus.cli import main
code = main({arguments})
print("END", code, gc.isenabled(), gc.get_freeze_count() > 0)
"""


def end(folder: Path, given: list[str], arguments: str = "") -> str:
    """Return what a program that calls the command line says of the collector afterwards."""
    (folder / "deck.yaml").write_text(DECK)
    command = [sys.executable, "-P", "-c", PROGRAM.format(arguments=arguments), *given]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_a_run_collects_but_no_more_what_the_start_has_made(tmp_path: Path) -> None:
    assert end(tmp_path, ["run", "deck.yaml"]) == "END 0 True True"


def test_a_command_that_is_no_task_collects(tmp_path: Path) -> None:
    assert end(tmp_path, ["list"]) == "END 0 True True"


def test_a_program_that_calls_the_command_keeps_its_collector(tmp_path: Path) -> None:
    assert end(tmp_path, [], "['run', 'deck.yaml']") == "END 0 True False"
