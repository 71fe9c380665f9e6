"""The launcher: found, given what it needs, its exit code and signals passed on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plexus import launch
from plexus.errors import InputError
from plexus.runtime import scheduler


def script(folder: Path, text: str) -> Path:
    """Write an executable shell script that pretends to be a launcher."""
    path = folder / "mpirun"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_chosen_launcher_gets_ranks_program_and_arguments(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PLEXUS_LAUNCHER", f"{script(tmp_path, 'echo $@; exit 7')} --extra")
    assert launch.launch(3, ["run", "deck.yaml"]) == 7
    words = capfd.readouterr().out.split()
    assert words[0] == "--extra" and words[-3:] == ["plexus", "run", "deck.yaml"]
    assert words[words.index("-n") + 1] == "3"


def test_open_mpi_may_run_more_ranks_than_cores(tmp_path, monkeypatch):
    fake = str(script(tmp_path, "echo mpirun Open MPI 4.1.4"))
    monkeypatch.setenv("PLEXUS_LAUNCHER", fake)
    cores = len(os.sched_getaffinity(0))
    assert "--oversubscribe" not in launch.prefix(cores)
    assert "--oversubscribe" in launch.prefix(cores + 1)


def test_other_launchers_get_no_flags_of_open_mpi(tmp_path, monkeypatch):
    fake = str(script(tmp_path, "echo HYDRA"))
    monkeypatch.setenv("PLEXUS_LAUNCHER", fake)
    assert launch.prefix(999) == [fake, "-n", "999"]


def test_no_launcher_is_an_input_error(tmp_path, monkeypatch):
    monkeypatch.delenv("PLEXUS_LAUNCHER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="mpirun, mpiexec, srun"):
        launch.find()


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    found = launch.environment()
    assert found["OMP_NUM_THREADS"] == "5" and found["OMPI_ALLOW_RUN_AS_ROOT"] == "1"


def test_termination_reaches_the_ranks_as_usr1(tmp_path):
    wait = "i=0; while [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done"
    ask = '[ "$1" = --version ] && exit 0'
    got = "echo got USR1 for $(cat $PLEXUS_SIGNAL)"
    fake = script(tmp_path, f"{ask}\ntrap '{got}; exit 75' USR1; touch {tmp_path}/ready; {wait}")
    code = "import sys; from plexus import launch; sys.exit(launch.launch(2, []))"
    environment = {**os.environ, "PLEXUS_LAUNCHER": str(fake)}
    job = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    end = time.monotonic() + 600
    while not (tmp_path / "ready").exists() and time.monotonic() < end:
        time.sleep(0.02)
    job.send_signal(signal.SIGTERM)
    said, _ = job.communicate(timeout=600)
    assert (said.strip(), job.returncode) == (f"got USR1 for {int(signal.SIGTERM)}", 75)


def test_a_killed_job_is_told(tmp_path, monkeypatch, capfd):
    for deed, who in (("exit 137", "a rank"), ("kill -9 $$", "the launcher")):
        monkeypatch.setenv("PLEXUS_LAUNCHER", str(script(tmp_path, deed)))
        assert launch.launch(2, ["run", "deck.yaml"]) == 128 + signal.SIGKILL
        assert f"{who} was ended by SIGKILL" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("job", "launcher", "near"), [("", "", True), ("7", "", False), ("", "mpirun -H a", False)]
)
def test_only_ranks_of_one_machine_leave_its_networks_out(job, launcher, near, monkeypatch):
    monkeypatch.delenv("OMPI_MCA_pml", raising=False)
    monkeypatch.delenv(scheduler.JOB, raising=False)
    if job:
        monkeypatch.setenv(scheduler.JOB, job)
    monkeypatch.setenv("PLEXUS_LAUNCHER", launcher)
    assert ("OMPI_MCA_pml" in launch.environment()) == near


def test_a_process_without_launcher_starts_mpi_alone(monkeypatch):
    for name in (*launch.ALONE, *launch.INSIDE, *launch.INSIDE.values()):
        monkeypatch.delenv(name, raising=False)
    # put back by monkeypatch when the test is over
    monkeypatch.setenv("OMPI_MCA_pml", "ucx")
    monkeypatch.setenv("OMPI_MCA_ess_singleton_isolated", "")
    monkeypatch.delenv("OMPI_MCA_ess_singleton_isolated")
    launch.alone()
    assert {name: os.environ.get(name) for name in launch.ALONE} == launch.ALONE | {"OMPI_MCA_pml": "ucx"}


def test_a_rank_leaves_the_choice_to_its_launcher(monkeypatch):
    for name in launch.ALONE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "2")
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "0")
    monkeypatch.delenv(launch.SINGLE, raising=False)
    launch.alone()
    assert not any(name in os.environ for name in launch.ALONE)
