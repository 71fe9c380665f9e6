"""A deck whose reduced model is missing: it is made first, by the deck that `rom.offline` names."""

from __future__ import annotations

import json
import signal

import pytest
from rom.runs import COMM, together

from plexus.cli import main
from plexus.errors import InputError
from plexus.offline.history import History
from plexus.submit import main as submission
from plexus.sweep.main import Options
from plexus.sweep.main import run as sweep

OFFLINE = """
plexus: 1
tables: {pull: {times: [0, 1, 2], values: [0 MPa, 350 MPa, 0 MPa], period: 2}}
mesh: {type: box, cell: quadrilateral, cells: [4, 3], size: [1, 0.6]}
physics:
  type: elastoviscoplastic
  geometry: plane_strain
  degree: 1
  law:
    {type: j2, young_modulus: 200 GPa, poisson_ratio: 0.3, yield_stress: 100 MPa, hardening: {slope: 20 GPa}}
boundary: [{on: left, displacement: [0, 0]}, {on: right, traction: [pull(t)*(1 - y/(1 m)), 0]}]
time: {stepper: quasistatic, step: 0.25, cycles: 1}
solver: {displacement: {ksp: preonly, preconditioner: mumps}}
quantities: {p: {type: maximum, of: p}}
reduce: {tolerance: 1e-4, cubature: 1e-3}
"""
ONLINE = (
    "include: offline.yaml\nreduce: null\nrom: {type: galerkin, offline: offline.yaml, file: made/one.h5}\n"
)


@pytest.fixture
def folder(tmp_path_factory):
    folder = together(tmp_path_factory.mktemp("offline"))
    if COMM.rank == 0:
        (folder / "offline.yaml").write_text(OFFLINE)
        (folder / "online.yaml").write_text(ONLINE)
    COMM.Barrier()
    return folder


def run(folder, *more, words=("run",)):
    try:
        return main([*words, str(folder / "online.yaml"), "-o", str(folder / "run"), *more])
    except SystemExit as ended:
        return ended.code


def figure(folder, name="run"):
    return json.loads((folder / name / "summary.json").read_text())["quantities"]["p"]


@pytest.mark.mpi
def test_it_is_made_once_and_in_the_same_launch(folder):
    assert run(folder) == 0
    when = (folder / "made/one.h5").stat().st_mtime_ns
    assert figure(folder) == pytest.approx(figure(folder, "made"), rel=1e-2)
    assert run(folder) == 0 and (folder / "made/one.h5").stat().st_mtime_ns == when


def test_what_is_stopped_on_the_way_goes_on(folder, monkeypatch):
    keep = History.keep

    def kept(self, run):
        keep(self, run)
        if len(self.times) == 4:
            run.ctx.stop._note(signal.SIGUSR1, None)

    with monkeypatch.context() as asked:
        asked.setattr(History, "keep", kept)
        assert run(folder) == 75
    assert not (folder / "made/one.h5").exists() and not (folder / "run").exists()
    # a chain of jobs goes on with --restart, though the run itself has not begun
    assert run(folder, "--restart") == 0
    assert "restart from" in (folder / "made/log.txt").read_text()
    assert figure(folder) == pytest.approx(figure(folder, "made"), rel=1e-2)


def test_it_is_told_before_and_nothing_is_made_in_vain(folder, capsys):
    assert main(["check", str(folder / "online.yaml")]) == 0
    command = f"plexus reduce {folder}/offline.yaml -o {folder}/made -s reduce.file=one.h5"
    assert command in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["check", str(folder / "online.yaml"), "--dry-run"])
    assert command in capsys.readouterr().err and not (folder / "made").exists()
    many = "sweep: {parameters: {rom.tolerance: [1e-8, 1e-9]}}\n"
    (folder / "sweep.yaml").write_text(ONLINE + many)
    with pytest.raises(InputError, match="the members share it: make it first by plexus reduce"):
        sweep(Options(str(folder / "sweep.yaml"), folder=str(folder / "sweep")))
    (folder / "offline.yaml").write_text(OFFLINE.replace("reduce:", "solver_options:"))
    assert main(["check", str(folder / "online.yaml")]) == 2
    assert "offline.yaml:15:1: solver_options: unknown key" in capsys.readouterr().err


def test_models_are_results_like_others(folder, capsys):
    """They are moved aside and never overwritten; a run does not move away what it reads."""
    offline, made = str(folder / "offline.yaml"), folder / "made"
    for _ in range(2):
        assert main(["reduce", offline, "-o", str(made), "-s", "reduce.file=one.h5"]) == 0
    assert (made / "one.h5").exists() and (made / "previous/1/one.h5").exists()
    assert (made / "previous/1/one.modes.vtkhdf").exists()
    with pytest.raises(SystemExit):
        main(["run", str(folder / "online.yaml"), "-o", str(made)])
    assert "whose results a new run moves away" in capsys.readouterr().err and (made / "one.h5").exists()
    assert main(["run", offline, "-o", str(made)]) == 0 and not (made / "one.h5").exists()
    assert (made / "previous/2/one.h5").exists()
    (folder / "own").mkdir()
    (folder / "own/rom.h5").write_bytes(b"mine")
    with pytest.raises(SystemExit):
        main(["reduce", offline, "-o", str(folder / "own")])
    assert "rom.h5 is there and is not ours" in capsys.readouterr().err
    assert (folder / "own/rom.h5").read_bytes() == b"mine"


def test_jobs_wait_for_the_one_that_makes_it(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    sent = []

    def submit(script, options=()):
        sent.append((script, options))
        return str(len(sent))

    monkeypatch.setattr(submission.slurm, "submit", submit)
    assert main(["submit", "online.yaml", "--profile", "cpu"]) == 0
    (first, alone), (second, waits) = sent
    assert "command=(reduce " in first.read_text() and "command=(run " in second.read_text()
    assert not alone and waits == ["--dependency=afterok:1", "--kill-on-invalid-dep=yes"]
    (folder / "offline.yaml").write_text(OFFLINE + "job: {chain: submit}\n")
    assert main(["submit", "online.yaml", "--profile", "cpu"]) == 2
    assert "no job can wait for the last of a chain" in capsys.readouterr().err and len(sent) == 2
