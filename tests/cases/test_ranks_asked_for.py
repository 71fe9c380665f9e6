"""The number of ranks is the one that was asked for, or the run is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from case_runs import copied, of_a_terminal, started

from plexus import launch
from plexus.cli import main
from plexus.errors import InputError

GRID = """\
plexus: 1
mesh: {type: periodic, cells: [8, 8], size: [1, 1]}
physics: {type: active_fluid, order: 1, alpha: -1, zeta: 0.5}
closure: quadratic
time: {stepper: sbdf2, end: 1, step: 0.02}
job: {ranks_per_node: RANKS}
"""


LEFT_OVER = {
    "PMIX_RANK": {"PMIX_RANK": "0"},
    "PMI_SIZE": {"PMI_SIZE": "2"},
    "OMPI_COMM_WORLD_SIZE": {"OMPI_COMM_WORLD_SIZE": "2"},
    "singleton": {"PMIX_RANK": "0", "PMIX_NAMESPACE": "3407873", "OMPI_MCA_ess": "singleton"},
}


@pytest.mark.parametrize("left", LEFT_OVER)
def test_variables_left_over_do_not_make_one_rank_of_two(left, tmp_path):
    here = copied("40_restarts", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "plexus", "run", "deck.yaml", "-n", "2", "-o", "out"], cwd=here,
        env=of_a_terminal() | LEFT_OVER[left], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((here / "out" / "summary.json").read_text())["ranks"] == 2


def test_a_job_that_has_ended_is_told(tmp_path):
    """All variables of a rank are there, and no launcher: what MPI says counts."""
    here = copied("40_restarts", tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "plexus", "run", "deck.yaml", "-n", "2", "-o", "out"], cwd=here,
        env=of_a_terminal() | {"PMI_SIZE": "2", "PMI_RANK": "0"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and "2 ranks are asked for, and MPI has 1: PMI_SIZE" in done.stderr
    assert not (here / "out").exists()


def test_ranks_under_a_launcher_are_compared_with_those_asked_for(tmp_path):
    here = copied("40_restarts", tmp_path)
    (here / "job.sh").write_text(f'exec "{sys.executable}" -m plexus run deck.yaml -n 3 -o out\n')
    started = [*launch.prefix(2), "sh", "job.sh"]
    done = subprocess.run(
        started, cwd=here, env=launch.environment() | of_a_terminal(), capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr.count("3 ranks are asked for, and MPI has 2") == 1


def test_a_launcher_of_another_mpi_is_told(monkeypatch):
    monkeypatch.setenv(launch.STARTED, "4")
    launch.agreed(None, 4)
    with pytest.raises(InputError, match="4 ranks were started, and MPI sees 1"):
        launch.agreed(None, 1)


def test_far_more_ranks_than_cores_are_refused(monkeypatch, tmp_path):
    for name in ("PLEXUS_LAUNCHER", "SLURM_JOB_ID"):
        monkeypatch.delenv(name, raising=False)
    most = max(launch.MOST, launch.PER_CORE * len(os.sched_getaffinity(0)))
    launch.bearable(most)
    code, said = started(copied("40_restarts", tmp_path), "run", "deck.yaml", "-n", "99999")
    assert code == 2 and "99999 ranks are too many" in said
    # other machines than this one
    monkeypatch.setenv("PLEXUS_LAUNCHER", "mpirun --hostfile hosts")
    launch.bearable(99999)


def test_a_sweep_starts_no_more_ranks_than_a_run(tmp_path):
    here = copied("40_restarts", tmp_path)
    text = (here / "deck.yaml").read_text() + "sweep: {seeds: 2}\n"
    (here / "deck.yaml").write_text(text)
    code, said = started(here, "sweep", "deck.yaml", "-n", "99999")
    assert code == 2 and "ranks are too many" in said


def test_submit_refuses_ranks_that_the_mesh_does_not_take(tmp_path, capsys):
    deck = Path(tmp_path) / "deck.yaml"
    deck.write_text(GRID.replace("RANKS", "16"))
    assert main(["submit", str(deck), "--print", "--profile", "cpu"]) == 2
    assert f"{deck}:6:23: job.ranks_per_node: 16 ranks are too many" in capsys.readouterr().err
    deck.write_text(GRID.replace("RANKS", "2"))
    assert main(["submit", str(deck), "--print", "--profile", "cpu"]) == 0


PHYSICS = {
    "heat": """\
physics: {type: heat, material: {conductivity: 2}}
boundary: [{on: left, temperature: 300}]
""",
    "elasticity": """\
physics: {type: elasticity, geometry: plane_strain, material: {young_modulus: 1 GPa, poisson_ratio: 0.3}}
boundary: [{on: left, displacement: [0, 0]}]
""",
}


@pytest.mark.parametrize("name", PHYSICS)
def test_more_ranks_than_cells(name, tmp_path):
    """A rank without cells takes part."""
    deck = tmp_path / "deck.yaml"
    deck.write_text("plexus: 1\nmesh: {type: box, cell: quadrilateral, cells: [2, 1]}\n" + PHYSICS[name])
    code, said = started(tmp_path, "run", "deck.yaml", "-n", "4")
    assert code == 0, said
