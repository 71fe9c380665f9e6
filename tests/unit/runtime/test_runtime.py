"""Run folder, atomic files, log, timers, stop requests, provenance, on one rank."""

import io
import json
import os
import signal

import numpy as np
import pytest
from mpi4py import MPI

from plexus.errors import GuardError, OutputError
from plexus.runtime import context, files
from plexus.runtime.folder import continues, prepare
from plexus.runtime.guard import Guard
from plexus.runtime.log import Log
from plexus.runtime.provenance import COMMAND, collect
from plexus.runtime.stop import NOTE, SIGNALS, StopRequests
from plexus.runtime.summary import write_failure, write_summary
from plexus.runtime.timers import Phase, Timers

SELF = MPI.COMM_SELF


def test_text_appears_complete_or_not_at_all(tmp_path):
    path = tmp_path / "summary.json"
    files.write_json(path, {"a": np.float64(1.5), "n": np.int64(2)})
    assert json.loads(path.read_text()) == {"a": 1.5, "n": 2}
    with pytest.raises(OutputError, match="cannot write"):
        files.write_text(tmp_path / "missing" / "x", "text")
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


def test_no_room_is_told_before_anything_is_written(tmp_path):
    with pytest.raises(OutputError, match=r"No space left on device \(needs 1e\+06 TB, .* free\)"):
        files.require_space(tmp_path / "big.h5", 10**18)


def test_earlier_results_are_moved_never_lost(tmp_path):
    for run in ("first", "second"):
        assert (prepare(SELF, tmp_path) is None) == (run == "first")
        (tmp_path / "series.h5").write_text(run)
        (tmp_path / "mine.txt").write_text("not ours")
        (tmp_path / "checkpoint_00000001.h5.partial").write_text("worthless")
    assert prepare(SELF, tmp_path) == tmp_path / "previous" / "2"
    assert (tmp_path / "previous" / "1" / "series.h5").read_text() == "first"
    assert (tmp_path / "previous" / "2" / "series.h5").read_text() == "second"
    assert sorted(p.name for p in tmp_path.glob("[!.]*")) == ["mine.txt", "previous"]


def test_restart_keeps_its_folder(tmp_path):
    prepare(SELF, tmp_path)
    (tmp_path / "series.h5").write_text("earlier")
    assert continues(tmp_path, "latest") and continues(tmp_path, str(tmp_path / "checkpoint_00000001.h5"))
    assert not continues(tmp_path, None) and not continues(tmp_path, "elsewhere/checkpoint_00000001.h5")
    assert prepare(SELF, tmp_path, keep=True) is None and (tmp_path / "series.h5").exists()


def test_log_speaks_to_screen_and_file(tmp_path):
    screen = io.StringIO()
    log = Log(SELF, tmp_path, screen)
    log.info("one")
    log.progress(0.5, "never on a screen that is no terminal")
    log.warn("careful")
    log.warn("careful")
    log.detail("file only")
    log.close()
    assert screen.getvalue() == "one\nwarning: careful\n"
    text = (tmp_path / "log.txt").read_text()
    assert [line.split(" s  ")[1] for line in text.splitlines()] == ["one", "warning: careful", "file only"]


def test_nested_phases_are_charged_once():
    timers = Timers()
    with timers("outer"), timers("inner"):
        sum(range(100_000))
    phases = {p.name: p for p in timers.phases(SELF)}
    assert phases["inner"].longest > phases["outer"].longest >= 0
    text = timers.table(list(phases.values()))
    assert "inner" in text and "imbalance" not in text
    assert "imbalance" in timers.table([Phase("solve", 1, 2.0, 1.5), Phase("short", 1, 1e-6, 1e-6)])
    assert "short" not in timers.table([Phase("solve", 1, 2.0, 1.5), Phase("short", 1, 1e-6, 1e-6)])


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGTERM, signal.SIGINT])
def test_signal_is_noted_and_agreed(number, monkeypatch):
    monkeypatch.delenv(NOTE, raising=False)
    stop, before = StopRequests(SELF), signal.getsignal(number)
    stop.watch()
    try:
        assert stop.agree().reason is None
        os.kill(os.getpid(), number)
        assert stop.agree().reason == SIGNALS[number]
    finally:
        stop.restore()
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(
    ("noted", "told"), [("2", "interrupted by Ctrl-C"), ("15", "terminated"), ("", "signal USR1")]
)
def test_the_launchers_note_tells_what_the_user_did(noted, told, tmp_path, monkeypatch):
    (tmp_path / "note").write_text(noted)
    monkeypatch.setenv(NOTE, str(tmp_path / "note"))
    stop = StopRequests(SELF)
    stop.watch()
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert stop.agree().reason == told
    finally:
        stop.restore()


def test_limits_of_time(monkeypatch):
    assert StopRequests(SELF, limit=1e-9, margin=0.0).agree().reason == "time limit"
    assert StopRequests(SELF, limit=1e6).agree().reason is None
    monkeypatch.setenv("SLURM_JOB_END_TIME", "1")
    assert StopRequests(SELF).agree().reason == "time limit"


def test_values_that_are_not_finite_stop_the_run():
    with pytest.raises(GuardError, match="not finite"):
        StopRequests(SELF).agree(finite=False)


def test_guard_reports_once_and_leaves_with_the_code(capsys):
    told = []
    with pytest.raises(SystemExit) as caught, Guard(SELF, report=lambda c, m: told.append((c, m))):
        raise GuardError("too hot")
    assert caught.value.code == 5 and told == [(5, "too hot")]
    assert capsys.readouterr().err == "too hot\n"


def test_summaries_have_the_agreed_entries(tmp_path):
    ctx = context.create(SELF, tmp_path)
    ctx.describe("plexus: 1\n")
    assert json.loads(ctx.texts["provenance"])["seed"] == 0
    keys = {
        "status", "exit_code", "ranks", "unknowns", "steps", "wall_seconds", "phases", "quantities", "solver",
        "peak_memory_mb", "transfers", "guards", "versions", "verification",
    }  # fmt: skip
    assert keys <= write_summary(ctx, "done", 0, {"steps": 3}).keys()
    write_failure(ctx, 3, "no convergence")
    found = json.loads((tmp_path / "summary.json").read_text())
    assert keys <= found.keys() and (found["status"], found["message"]) == ("failed", "no convergence")


def test_provenance_names_versions_and_source():
    found = collect(2, 7)
    assert {"plexus", "python", "mpi"} <= found["versions"].keys()
    assert (found["ranks"], found["seed"]) == (2, 7)


def test_provenance_has_the_command_of_the_user(monkeypatch):
    monkeypatch.delenv(COMMAND, raising=False)
    monkeypatch.setattr("sys.argv", ["/some/where/plexus/__main__.py", "run", "a.yaml"])
    assert collect(1, 0)["command"] == ["plexus", "run", "a.yaml"]
    monkeypatch.setenv(COMMAND, "plexus run 'my deck.yaml' -n 2")
    assert collect(2, 0)["command"] == ["plexus", "run", "my deck.yaml", "-n", "2"]
