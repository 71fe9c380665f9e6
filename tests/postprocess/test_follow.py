"""``plexus-post info --follow``: states of a run folder, and what is shown until the end."""

import fcntl
import json
import os
import socket
import subprocess
import sys
import textwrap
import time

import pytest

from plexus_post.cli import main
from plexus_post.commands import _follow
from plexus_post.readers import state


def progress(folder, status="running", share=0.25, **more):
    content = {"status": status, "step": 3, "t": 0.5, "share": share, "finish": None} | more
    (folder / "progress.json").write_text(json.dumps(content))


def summary(folder, status, code, **more):
    (folder / "summary.json").write_text(json.dumps({"status": status, "exit_code": code} | more))


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of the folder, until it is told to go."""
    text = """
        import fcntl, os, sys
        handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        print("held", flush=True)
        sys.stdin.read()
        """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(text), str(tmp_path / ".lock")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "held\n"
    yield process
    process.stdin.close()
    process.wait()


def test_a_folder_without_a_run_is_waited_for(tmp_path):
    assert state.state(tmp_path / "none").status == "waiting"
    assert state.state(tmp_path).status == "waiting"


def test_the_lock_tells_busy_from_lost(tmp_path, holder):
    (tmp_path / "log.txt").write_text("")
    progress(tmp_path)
    assert state.state(tmp_path).status == "running"
    # a restart: the summary is that of the run before
    summary(tmp_path, "stopped", 75)
    assert state.state(tmp_path).status == "running"
    (tmp_path / "summary.json").unlink()
    holder.stdin.close()
    holder.wait()
    assert state.state(tmp_path) == state.State("lost", 1)


def test_asking_for_the_lock_does_not_take_it(tmp_path):
    path = tmp_path / ".lock"
    path.touch()
    assert state.locked(path) is False
    with path.open("r+") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert state.locked(tmp_path / "none") is False


def test_an_unlocked_run_of_another_machine_gets_time(tmp_path, monkeypatch):
    progress(tmp_path)
    (tmp_path / ".lock").write_text("elsewhere")
    assert state.state(tmp_path).status == "running"
    old = time.time() - 2 * state.SILENCE
    os.utime(tmp_path / "progress.json", (old, old))
    assert state.state(tmp_path).status == "lost"
    (tmp_path / ".lock").write_text(socket.gethostname())
    progress(tmp_path)
    assert state.state(tmp_path).status == "lost"


@pytest.mark.parametrize(("status", "code"), [("done", 0), ("degraded", 0), ("stopped", 75), ("failed", 3)])
def test_ended_runs_give_their_exit_code(tmp_path, capsys, status, code):
    progress(tmp_path, status)
    summary(tmp_path, status, code, message="why <not>" if status == "failed" else "")
    (tmp_path / ".lock").touch()
    assert main(["info", "--follow", str(tmp_path)]) == code
    text = capsys.readouterr().out
    assert f"{status} (exit code {code})" in text
    assert ("why <not>" in text) is (status == "failed")


def test_a_killed_restart_is_lost(tmp_path):
    summary(tmp_path, "stopped", 75)
    old = time.time() - 10
    os.utime(tmp_path / "summary.json", (old, old))
    progress(tmp_path)
    (tmp_path / ".lock").touch()
    assert state.state(tmp_path).status == "lost"


def test_a_run_that_never_comes_ends_in_a_message(tmp_path, capsys):
    assert main(["info", "--follow", str(tmp_path / "x"), "--timeout", "0.05", "--interval", "0.02"]) == 2
    assert "no run has begun within 0.05 s" in capsys.readouterr().err


def test_a_run_is_shown_from_before_its_start_to_its_end(tmp_path, capsys, monkeypatch):
    folder = tmp_path / "run"
    monkeypatch.setattr(state, "locked", lambda path: path.exists())
    log = "     0.10 s  plexus 0.1.0 · box\n     0.20 s  step 1, t = 0.1 s, dt = 0.1 s: u 3 iterations\n"

    def begin():
        folder.mkdir()
        (folder / ".lock").touch()
        (folder / "log.txt").write_text(log + "     0.30 s  half a li")
        progress(folder, finish="2999-01-01T00:00:00+00:00")

    def go_on():
        (folder / "log.txt").write_text(log + "     0.30 s  half a line no more\n")
        progress(folder, share=0.75)

    def end():
        progress(folder, "done", 1.0)
        summary(folder, "done", 0)
        (folder / ".lock").unlink()

    acts = iter([begin, lambda: None, go_on, end])
    assert _follow.follow(folder, sleep=lambda seconds: next(acts)()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"waiting for a run in {folder}"
    assert lines[1] == "plexus 0.1.0 · box"
    assert lines[2].startswith(" 25%  step 3, t = 0.5 s  done on 2")
    assert lines[3:] == ["half a line no more", " 75%  step 3, t = 0.5 s", f"{folder}: done (exit code 0)"]


def test_the_bar_stands_on_a_terminal_only(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    screen = _follow._Screen(tmp_path)
    screen.progress({"step": 1, "t": 1.0, "share": 0.5})
    screen.line("a line")
    text = capsys.readouterr().out
    assert text.startswith("\r\x1b[K" + "━" * 12 + "╌" * 12) and text.endswith("\r\x1b[Ka line\n")
