"""Runs that are killed at a random moment, and what must be true of the folder that they leave behind.

``PLEXUS_KILLS`` is the number of runs of each kind that are killed (default 2), ``PLEXUS_SEED`` repeats their
moments as far as the machine allows.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import h5py
import numpy as np
import yaml
from mpi4py import MPI

from plexus.fileformat import FIELDS, LOG, MARK, PARTIAL, SERIES
from plexus.io import checkpoint
from plexus.io.hdf5 import open_read
from plexus.io.vtkhdf_layout import read_layout

sys.path.insert(0, str(Path(__file__).parents[1] / "parallel"))
from crew import clean_environment
from io_jobs import summary

KILLS = int(os.environ.get("PLEXUS_KILLS", "2"))
SEED = int(os.environ.get("PLEXUS_SEED", random.randrange(10**6)))
WORKERS = 3
"""Runs at once."""
PATIENCE = 300.0
"""Seconds in which all processes of a killed run must be gone."""
STEPS = 24
START = 2.0
"""Seconds from whose beginning to end a start is killed."""
DECK = """\
plexus: 1
mesh: {type: box, cell: triangle, cells: [8, 8]}
physics:
  type: heat
  degree: 1
  material: {conductivity: 1, density: 1, specific_heat: 1}
  source: "10*x*sin(20*t)"
boundary: [{on: left, temperature: "sin(3*t)"}]
initial: {temperature: "x*y"}
solver: {temperature: {ksp: cg, preconditioner: jacobi, rtol: 1e-13}}
time: {stepper: bdf2, end: END s, step: 0.001 s}
quantities: {mean: {type: mean, of: temperature}, hottest: {type: maximum, of: temperature}}
output:
  - {type: checkpoint, every: 4 steps}
  - {type: fields, every: 1 steps}
  - {type: fields, name: rolled, every: 0.003 s, roll: 3}
  - {type: probe, points: [[0.3, 0.4]]}
""".replace("END", f"{STEPS / 1000}")
"""A march of which most time goes into files: most kills hit one that is being written."""


class Job:
    """A run on two ranks; as a context manager it leaves no process behind."""

    def __init__(self, folder: Path, *arguments: str):
        self.folder = folder
        (folder / "deck.yaml").write_text(DECK)
        command = [sys.executable, "-m", "plexus", "run", "deck.yaml", "-n", "2", "-o", "out", *arguments]
        with open(folder / "out.txt", "a") as out, open(folder / "err.txt", "w") as err:
            self.process = subprocess.Popen(
                command, cwd=folder, env=clean_environment(), stdout=out, stderr=err, start_new_session=True
            )

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *error: object) -> None:
        for process in (self.process.pid, *processes(self.folder)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self.process.wait()

    def pick(self, kind: str, chance: random.Random) -> int | None:
        """Return a process of a kind: a `rank`, the `launcher` (mpirun), or `plexus` that started it."""
        found = processes(self.folder)
        found.pop(self.process.pid, None)
        # not the one that is only asked for its version
        launchers = [p for p, words in found.items() if words[0] == "mpirun" and "plexus" in words]
        ranks = [p for p in found if parent_of(p) in launchers]
        choice = {"rank": ranks, "launcher": launchers, "plexus": [self.process.pid]}[kind]
        return chance.choice(sorted(choice)) if choice else None

    def kill(self, kind: str, chance: random.Random) -> bool:
        """Kill a process of a kind, waiting until there is one; return whether the run was still there."""
        while self.process.poll() is None:
            victim = self.pick(kind, chance)
            if victim is not None:
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    return True
            time.sleep(0.01)
        return False

    def until(self, happened: Callable[[], object]) -> None:
        """Wait until something has happened, or the run is over."""
        while self.process.poll() is None and not happened():
            time.sleep(0.002)

    def end(self) -> int:
        """Wait until every process is gone; return the exit code."""
        await_silence(self.folder)
        return self.process.wait()

    def finish(self) -> None:
        """Wait for the end of a run that nobody disturbs."""
        code = self.process.wait(1200)
        assert code == 0, (self.folder / "err.txt").read_text()


class Moment:
    """A random moment of a run: of its start, or of its march, however busy the machine is.

    Parameters
    ----------
    folder : run folder; its log is removed, so that the one to come tells where the run is.
    """

    def __init__(self, folder: Path, chance: random.Random):
        self.log = folder / LOG
        self.log.unlink(missing_ok=True)
        self.pause = chance.uniform(0, START)
        self.step = None if chance.random() < 0.3 else chance.randint(1, STEPS)
        if self.step is not None:
            self.pause = chance.uniform(0, 0.1)

    def reached(self) -> bool:
        """Return whether the run has come as far."""
        if self.step is None:
            return True
        text = self.log.read_text() if self.log.exists() else ""
        done = [int(number) for number in re.findall(r"s  step (\d+),", text)]
        return max(done, default=-1) >= self.step

    def wait(self, over: Callable[[], bool]) -> None:
        """Wait for it, or until the run is ``over``."""
        while not self.reached() and not over():
            time.sleep(0.002)
        time.sleep(self.pause)


def processes(folder: Path) -> dict[int, list[str]]:
    """Return the processes that work in a folder, whoever their parent is: number -> command line."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # gone meanwhile
            if os.readlink(place / "cwd") == str(folder):
                found[int(place.name)] = (place / "cmdline").read_text().split("\0")
    return found


def parent_of(process: int) -> int | None:
    """Return the parent of a process, None if it is gone."""
    try:
        # behind the name, which may hold anything: state, parent
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def await_silence(folder: Path) -> None:
    """Wait until no process works in a folder any more."""
    limit = time.monotonic() + PATIENCE
    while left := processes(folder):
        assert time.monotonic() < limit, f"left behind: {left}"
        time.sleep(0.02)


def check(folder: Path, whole: Path) -> None:
    """Check every file with a final name in the run folder of a killed run against the ``whole`` one."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        known = {".h5": _hdf5, ".vtkhdf": _fields, ".json": _json, ".yaml": _deck, ".xdmf": _xdmf}
        if path.suffix in known:
            known[path.suffix](path, whole)
        else:
            others = "log.txt", ".lock", ".chain", MARK
            assert path.suffix in (PARTIAL, ".out", ".sh") or path.name in others, path


def _hdf5(path: Path, whole: Path) -> None:
    if path.name.startswith("checkpoint_"):
        assert checkpoint_in(path).arrays, path
        return
    mine, reference = columns(path), columns(whole / path.name)
    for table, found in mine.items():
        n = {len(column) for column in found.values()}
        assert len(n) == 1, f"{path}: columns of {table} differ in length"
        rows = n.pop()
        for name, column in found.items():
            np.testing.assert_allclose(column, reference[table][name][:rows], rtol=1e-12, atol=1e-12)


def checkpoint_in(path: Path) -> checkpoint.Content:
    """Return what is in a checkpoint, with all checksums verified."""
    with open_read(path) as file:
        ids = {key: data[:] for key, data in file["ids"].items()}
    return checkpoint.read(path, MPI.COMM_SELF, ids)


def columns(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """Return the tables of ``series.h5`` without wall times and the figures of single iterations."""
    found: dict[str, dict[str, np.ndarray]] = {}

    def take(name: str, item: object) -> None:
        table, _, column = name.rpartition("/")
        if isinstance(item, h5py.Dataset) and item.ndim == 1 and column not in ("wall", "norm"):
            found.setdefault(table, {})[column] = item[:]

    with open_read(path) as file:
        file.visititems(take)
    return {table: c for table, c in found.items() if table.partition("/")[0] not in ("solver", "newton")}


def _fields(path: Path, whole: Path) -> None:
    """Every output that the file says it holds is complete: equal to that of the undisturbed run."""
    mine, reference = outputs(path), outputs(whole / FIELDS)
    # the first output makes a file visible
    assert mine, path
    for step, values in mine.items():
        np.testing.assert_allclose(values, reference[step], rtol=1e-12, atol=1e-12, err_msg=f"{path} {step}")


def outputs(path: Path) -> dict[int, np.ndarray]:
    """Return the temperatures of each output of a file by step, sorted by the names of the nodes."""
    layout, found = read_layout(path), {}
    with open_read(path) as file:
        names, values = file["plexus/node_ids"], file["VTKHDF/PointData/temperature"]
        for step in layout.steps:
            grid = layout.grids[step.grid]
            _, first = np.unique(names[grid.point : grid.point + grid.points], return_index=True)
            found[step.number] = values[step.node_row : step.node_row + grid.points][first]
    return found


def steps(folder: Path, name: str) -> set[int]:
    """Return the steps in all files of one output of fields."""
    return {step for path in folder.glob(f"{name}*.vtkhdf") for step in outputs(path)}


def _json(path: Path, whole: Path) -> None:
    assert json.loads(path.read_text())["status"], path


def _deck(path: Path, whole: Path) -> None:
    assert yaml.safe_load(path.read_text())["plexus"] == 1 and path.read_text().endswith("\n"), path


def _xdmf(path: Path, whole: Path) -> None:
    assert ElementTree.parse(path).getroot().tag == "Xdmf", path


def newest(folder: Path) -> Path | None:
    """Return the newest checkpoint of a run folder."""
    return max(folder.glob("checkpoint_*.h5"), default=None)


def again(folder: Path) -> list[str]:
    """Return the arguments with which a person goes on: from a checkpoint if there is one."""
    return ["--restart", "latest"] if newest(folder) else []


def assert_done(folder: Path, whole: Path) -> None:
    """Check that a run that was continued to its end has left what the undisturbed one left."""
    check(folder, whole)
    assert not list(folder.rglob("*" + PARTIAL))
    one, two = summary(whole), summary(folder)
    assert (two["status"], two["steps"], two["time"]) == ("done", one["steps"], one["time"])
    for name, value in one["quantities"].items():
        np.testing.assert_allclose(two["quantities"][name], value, rtol=1e-12)
    for name in ("fields", "rolled"):
        # a run that is stopped in order writes its last step, too, whether or not it is due
        assert steps(whole, name) <= steps(folder, name), name
    mine, reference = columns(folder / SERIES), columns(whole / SERIES)
    assert mine.keys() == reference.keys()
    for table, found in reference.items():
        for name, column in found.items():
            np.testing.assert_allclose(mine[table][name], column, rtol=1e-12, atol=1e-12)
