"""Who stops a run ends the process that looks at its files, too: that says nothing about the files."""

from __future__ import annotations

import os
import random
import signal
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from kills import Job, newest, steps

from plexus.errors import PlexusError
from plexus.fileformat import SERIES
from plexus.io.results import put_away_damaged
from plexus.runtime import claim, sound
from plexus.runtime.interpreter import python

HALT = """\
import os, signal, sys
mark = {mark!r}
if "plexus.runtime.sound" in sys.orig_argv and not os.path.exists(mark):
    open(mark, "w").close()
    signal.pause()
"""
"""A process that looks at files waits for its end, the first time."""


def ending(number: int, times: int, monkeypatch) -> list[int]:
    """Let the process that looks end by a signal before its first answer, at first; count the processes."""
    calls: list[int] = []

    def first(*words: str) -> list[str]:
        calls.append(number)
        code = f"import os; os.kill(os.getpid(), {int(number)})"
        return [sys.executable, "-c", code] if len(calls) <= times else python(*words)

    monkeypatch.setattr(sound, "python", first)
    return calls


def tables(folder: Path, count: int) -> list[Path]:
    """Return sound files in a run folder."""
    claim.claim(folder, claim.RUN)
    names = [SERIES, *(f"table_{i}.h5" for i in range(1, count))]
    for name in names:
        with h5py.File(folder / name, "w") as file:
            file["steps/step"] = np.arange(3)
    return [folder / name for name in names]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_an_end_from_outside_is_no_damage(number, tmp_path, monkeypatch):
    (path,) = tables(tmp_path, 1)
    calls = ending(number, sound.TRIES - 1, monkeypatch)
    assert put_away_damaged(tmp_path) == [] and path.exists()
    assert len(calls) == sound.TRIES


def test_without_a_look_nothing_is_moved(tmp_path, monkeypatch):
    (path,) = tables(tmp_path, 1)
    ending(signal.SIGTERM, sound.TRIES, monkeypatch)
    with pytest.raises(PlexusError, match=r"series\.h5: could not be looked at: .* SIGTERM"):
        put_away_damaged(tmp_path)
    assert path.exists() and not (tmp_path / claim.PREVIOUS).exists()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGXCPU])
def test_a_fault_speaks_against_its_file_alone(number, tmp_path, monkeypatch):
    paths = tables(tmp_path, 3)
    ending(number, 1, monkeypatch)
    assert sound.problems(paths) == [sound.FAULTS[number], None, None]


def test_files_beyond_those_of_one_process_are_sound(tmp_path, monkeypatch):
    monkeypatch.setattr(sound, "TOGETHER", 2)
    assert sound.problems(tables(tmp_path, 5)) == [None] * 5


def test_a_launcher_that_is_killed_amid_the_look_costs_no_step(tmp_path, monkeypatch):
    """Open MPI's launcher sends TERM to its ranks and to what they have started."""
    run, hook, mark = tmp_path / "run", tmp_path / "hook", tmp_path / "halted"
    for place in (run, hook):
        place.mkdir()
    with Job(run) as job:
        job.until(lambda: newest(run / "out"))
        assert job.kill("rank", random.Random(0))
        job.end()
    before = steps(run / "out", "fields")
    (hook / "sitecustomize.py").write_text(HALT.format(mark=str(mark)))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(hook), os.environ.get("PYTHONPATH", "")]))
    # the ranks shall come to what follows the look; the launcher waits so long before TERM as well
    monkeypatch.setenv("OMPI_MCA_odls_base_sigkill_timeout", "12")
    with Job(run, "--restart", "latest") as job:
        job.until(mark.exists)
        assert job.kill("plexus", random.Random(0))
        job.end()
    assert mark.exists() and before <= steps(run / "out", "fields")
    assert not (run / "out" / claim.PREVIOUS).exists()
