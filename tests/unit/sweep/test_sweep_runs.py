"""Sweeps as a user runs them: real runs in processes of their own, failures, resuming, interruption."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sweep_decks import BASE, deck, write

from plexus import cli
from plexus.deck.load import load
from plexus.errors import InputError
from plexus.sweep import folder as folders
from plexus.sweep.runner import default_workers
from plexus.sweep.status import lock, status

PLEXUS = [sys.executable, "-m", "plexus"]
TWELVE = """
workers: 4
parameters:
  parameters.k: [1, 2, 5, 7]
  mesh.cells[0]: [8, 16, 24]
"""
WEAK = BASE.replace("preconditioner: jacobi", 'preconditioner: jacobi, max_iterations: "${limit}"').replace(
    "parameters: {", 'parameters: {limit: "${where(k*mesh.cells[0] > 120, 1, 500)}", '
)
"""A deck whose solver gets too few iterations for the largest k on the largest mesh."""
MARCH = (
    BASE.replace("L: 2 m", "L: 2 m, end: 25 s")
    + "time: {stepper: theta, end: '${end}', step: 0.01 s}\noutput: []\n"
)


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMIX_", "PMI_"))}


def run(*arguments, **how) -> subprocess.CompletedProcess:
    command = [*PLEXUS, *map(str, arguments)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=900, **how)


def states(folder: Path) -> list[str]:
    return [status(f).state for f in sorted(folder.glob("member_*"))]


def quantity(folder: Path, name: str = "q") -> float:
    return json.loads((folder / "summary.json").read_text())["quantities"][name]


@pytest.fixture(scope="module")
def twelve(tmp_path_factory):
    """A sweep of twelve of which the last fails; with what the command said."""
    place = tmp_path_factory.mktemp("twelve")
    path = write(place, TWELVE, WEAK)
    return path, place / "runs", run("sweep", path, "-o", place / "runs")


def test_a_failing_member_leaves_the_others_alone(twelve):
    path, folder, said = twelve
    assert said.returncode == 3, said.stdout + said.stderr
    assert states(folder) == ["done"] * 11 + ["failed"]
    row = next(line for line in said.stdout.splitlines() if line.startswith("11 "))
    assert "failed  3" in row
    assert "DIVERGED" in row
    assert "12 members: 11 done, 1 failed" in said.stdout
    assert f"plexus sweep {path} -o {folder} --failed" in said.stdout
    assert quantity(folder / "member_0004") == pytest.approx(-2 * 100 / 2)


def test_every_member_is_an_ordinary_run_folder(twelve):
    _, folder, _ = twelve
    place = folder / "member_0004"
    resolved = load(place / "member_0004.yaml")
    assert resolved.mesh.cells == (16, 4)
    assert resolved.sweep is None
    assert {"deck.yaml", "summary.json", "log.txt", "console.txt"} <= {p.name for p in place.iterdir()}


def test_resuming_runs_nothing_again_and_failed_runs_only_what_failed(twelve):
    path, folder, _ = twelve
    before = {p: p.stat().st_mtime_ns for p in folder.glob("member_*/summary.json")}
    again = run("sweep", path, "-o", folder)
    assert again.returncode == 3
    assert "0 to run" in again.stdout
    assert {p: p.stat().st_mtime_ns for p in before} == before
    # the deck is mended; the finished members keep what they found
    path.write_text(path.read_text().replace(", 1, 500)", ", 400, 500)"))
    mended = run("sweep", path, "-o", folder, "--failed")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert "1 to run" in mended.stdout
    assert states(folder) == ["done"] * 12
    changed = [p.parent.name for p, t in before.items() if p.stat().st_mtime_ns != t]
    assert changed == ["member_0011"]
    assert run("sweep", path, "-o", folder, "--failed").returncode == 0


def test_the_list_shows_states_and_runs_nothing(tmp_path, capsys):
    path = write(tmp_path, "parameters: {parameters.k: [1, 2]}")
    assert cli.main(["sweep", str(path), "-o", str(tmp_path / "s"), "--list"]) == 0
    assert "parameters.k = 2" in capsys.readouterr().out
    assert not (tmp_path / "s").exists()
    folders.prepare(load(path), tmp_path / "s")
    assert cli.main(["sweep", str(path), "-o", str(tmp_path / "s"), "--list"]) == 0
    assert "2 members: 2 waiting" in capsys.readouterr().out


def test_members_of_a_job_array_may_all_start_at_once(tmp_path):
    path, folder = write(tmp_path, "parameters: {parameters.k: [1, 2, 5]}"), tmp_path / "s"
    jobs = [
        subprocess.Popen(
            [*PLEXUS, "sweep", path, "-o", folder, "--member", str(k)],
            env=environment(),
            stdout=subprocess.DEVNULL,
        )
        for k in (0, 1, 2)
    ]
    assert [job.wait(1200) for job in jobs] == [0, 0, 0]
    assert states(folder) == ["done"] * 3
    # what has been submitted runs, whatever became of the deck; a finished member is not run again
    path.unlink()
    again = run("sweep", path, "-o", folder, "--member", 1)
    assert (again.returncode, again.stdout[:25]) == (0, "member 1 is done already:")
    assert run("sweep", path, "-o", folder, "--member", 3).returncode == 2


def test_a_member_is_run_by_one_process_only(tmp_path, capsys):
    sweep = folders.prepare(deck(tmp_path, "seeds: 2"), tmp_path / "s")
    handle = lock(sweep.place(sweep.members[0]))
    assert handle is not None
    assert status(sweep.place(sweep.members[0])).state == "running"
    assert lock(sweep.place(sweep.members[0])) is None
    given = ["sweep", str(tmp_path / "deck.yaml"), "-o", str(tmp_path / "s"), "--member", "0"]
    assert cli.main(given) == 2
    assert "is being run by another process" in capsys.readouterr().err
    os.close(handle)
    assert status(sweep.place(sweep.members[0])).state == "waiting"


def test_a_run_that_dies_without_a_word_is_told(tmp_path, monkeypatch):
    path, folder = write(tmp_path, "seeds: 2"), tmp_path / "s"
    folders.prepare(load(path), folder)
    (folder / "member_0000/member_0000.yaml").write_text("plexus: 2\n")
    assert cli.main(["sweep", str(path), "-o", str(folder), "--member", "0"]) == 2
    found = status(folder / "member_0000")
    assert (found.state, found.exit_code) == ("failed", 2)
    assert "member_0000.yaml:1:9: plexus: " in (folder / "member_0000/console.txt").read_text()
    assert found.message
    # --failed resolves the deck again
    assert cli.main(["sweep", str(path), "-o", str(folder), "--failed"]) == 0
    assert states(folder) == ["done", "waiting"]


def test_another_sweep_in_the_folder_is_refused(tmp_path):
    folders.prepare(deck(tmp_path, "parameters: {parameters.k: [1, 2]}"), tmp_path / "s")
    other = deck(tmp_path, "parameters: {parameters.k: [1, 3]}")
    with pytest.raises(InputError, match="holds another sweep, of 2 members"):
        folders.prepare(other, tmp_path / "s")
    (tmp_path / "s/sweep.json").write_text("{}")
    with pytest.raises(InputError, match="another version"):
        folders.SweepFolder(tmp_path / "s")


def test_members_on_several_ranks(tmp_path):
    path = write(tmp_path, "ranks: [1, 2]")
    said = run("sweep", path, "-o", tmp_path / "s")
    assert said.returncode == 0, said.stdout + said.stderr
    assert "1 at a time" in said.stdout
    found = [json.loads((tmp_path / f"s/member_000{k}/summary.json").read_text()) for k in (0, 1)]
    assert [s["ranks"] for s in found] == [1, 2]
    assert found[0]["quantities"]["q"] == pytest.approx(found[1]["quantities"]["q"], rel=1e-9)


def wait_for(condition, seconds: float = 900.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def steps_taken(folder: Path) -> int:
    log = folder / "log.txt"
    return log.read_text().count("  step ") if log.exists() else 0


def test_an_interrupted_sweep_goes_on_from_checkpoints(tmp_path):
    path, folder = write(tmp_path, "parameters: {parameters.k: [1, 2, 5]}", MARCH), tmp_path / "s"
    command = [*PLEXUS, "sweep", str(path), "-o", str(folder), "--workers", "2"]
    job = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    wait_for(lambda: all(steps_taken(folder / f"member_000{k}") > 20 for k in (0, 1)))
    job.send_signal(signal.SIGINT)
    said, _ = job.communicate(timeout=900)
    assert job.returncode == 75, said
    assert states(folder) == ["stopped", "stopped", "waiting"]
    assert "go on with: " in said
    again = run(*command[3:])
    assert again.returncode == 0, again.stdout + again.stderr
    assert states(folder) == ["done"] * 3
    assert "restart from" in (folder / "member_0000/log.txt").read_text()
    assert run("run", path, "-s", "parameters.k=1", "-o", tmp_path / "whole").returncode == 0
    assert quantity(folder / "member_0000") == pytest.approx(quantity(tmp_path / "whole"), rel=1e-12)


def test_a_killed_sweep_leaves_nothing_that_cannot_go_on(tmp_path):
    path, folder = write(tmp_path, "parameters: {parameters.k: [1]}", MARCH), tmp_path / "s"
    command = [*PLEXUS, "sweep", str(path), "-o", str(folder)]
    job = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, start_new_session=True)
    wait_for(lambda: steps_taken(folder / "member_0000") > 20)
    job.kill()
    job.wait()
    # the member hears of it and stops with a checkpoint
    wait_for(lambda: states(folder) == ["stopped"])
    assert run(*command[3:]).returncode == 0
    assert states(folder) == ["done"]
    assert "restart from" in (folder / "member_0000/log.txt").read_text()


@pytest.mark.parametrize(
    ("sweep", "ranks", "cores", "workers"),
    [("seeds: 2", 1, 8, 8), ("seeds: 2", 3, 8, 2), ("seeds: 2", 16, 8, 1), ("seeds: 2\nworkers: 3", 1, 8, 3),
     ("ranks: [1, 2]", 2, 8, 1)],
)  # fmt: skip
def test_workers_fill_the_cores(tmp_path, sweep, ranks, cores, workers):
    assert default_workers(deck(tmp_path, sweep).sweep, ranks, cores) == workers


def test_a_launcher_around_it_is_refused(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("OMPI_MCA_ess", raising=False)
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setenv("PMI_RANK", "0")
    assert cli.main(["sweep", str(write(tmp_path, "seeds: 2"))]) == 2
    assert "without a launcher" in capsys.readouterr().err


def test_a_killed_member_is_told_and_goes_on_from_its_checkpoint(tmp_path):
    base = MARCH.replace("output: []", "output: [{type: checkpoint, every: 10 steps}]")
    path, folder = write(tmp_path, "parameters: {parameters.k: [1]}", base), tmp_path / "s"
    command = [*PLEXUS, "sweep", str(path), "-o", str(folder), "--member", "0"]
    job = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
    wait_for(lambda: steps_taken(folder / "member_0000") > 30)
    (child,) = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
    os.kill(int(child), signal.SIGKILL)
    assert job.wait(30) == 137
    found = status(folder / "member_0000")
    assert (found.state, found.exit_code) == ("failed", 137)
    assert found.message == "ended by SIGKILL, from outside or for lack of memory"
    assert run("sweep", path, "-o", folder, "--failed").returncode == 0
    assert "restart from" in (folder / "member_0000/log.txt").read_text()
