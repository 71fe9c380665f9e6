"""A reduction that is stopped on the way goes on from its checkpoint and makes the same model."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mpi4py import MPI
from test_reduced_runs import deck

from plexus.errors import InputError, SolveError
from plexus.io import checkpoint
from plexus.offline import calibration
from plexus.offline.history import History
from plexus.offline.main import reduce
from plexus.offline.training import march
from plexus.reduction import model
from plexus.reduction.incremental import BLOCK
from plexus.runtime import context

COMM = MPI.COMM_WORLD


@pytest.fixture
def folder(tmp_path_factory):
    return Path(COMM.bcast(str(tmp_path_factory.mktemp("cut")) if COMM.rank == 0 else None))


@pytest.fixture
def stopped(monkeypatch):
    """Let every march be asked to stop, as a job near its end is, when modes stand for its first steps."""
    keep = History.keep

    def kept(self, run):
        keep(self, run)
        if len(self.times) == BLOCK + 3:
            run.ctx.stop._note(signal.SIGUSR1, None)

    monkeypatch.setattr(History, "keep", kept)
    return monkeypatch


@pytest.mark.mpi
@pytest.mark.pair
def test_the_model_is_that_of_a_run_in_one_go(plate, folder, stopped):
    file = folder / "rom.h5"
    cut, nothing = reduce(deck(folder, reduce={}), context.create(COMM, folder))
    assert cut.stop_reason and not nothing and not file.exists() and cut.clock.step == BLOCK + 4
    stopped.undo()
    run, facts = reduce(deck(folder, reduce={}), context.create(COMM, folder), restart="latest")
    assert run.stop_reason is None and facts["snapshots"] == 16 and file.exists()
    form, points = run.system.forms["displacement"], run.system.quadrature
    found = model.load(file, form, points)
    place, whole, _ = plate
    other = model.load(place / file.name, form, points)
    assert whole["spectrum"][:5] == pytest.approx(facts["spectrum"][:5], rel=1e-8)
    assert whole["imbalance"] == pytest.approx(facts["imbalance"], rel=1e-6)
    # modes have no sign of their own
    one, two = found.basis[:, :, :3], other.basis[:, :, :3]
    signs = np.sign(COMM.allreduce(np.einsum("kcn,kcn->n", one, two)))
    assert np.abs(one - signs * two).max(initial=0) <= 1e-6 * np.abs(two).max(initial=1)


@pytest.mark.mpi
@pytest.mark.pair
def test_a_reduction_that_is_stopped_behind_its_first_step_goes_on(folder):
    """The checkpoint comes before the step is kept, and a run that goes on shows it again."""
    ctx = context.create(COMM, folder)
    ctx.stop._note(signal.SIGUSR1, None)
    cut, _ = reduce(deck(folder, reduce={}), ctx)
    assert cut.stop_reason and cut.clock.step == 1
    _, facts = reduce(deck(folder, reduce={}), context.create(COMM, folder), restart="latest")
    assert facts["snapshots"] == 16 and (folder / "rom.h5").exists()


@pytest.mark.mpi
@pytest.mark.pair
def test_a_calibration_that_is_stopped_is_none_and_leaves_no_model(folder, monkeypatch):
    """The largest error over the indicator is that of a whole trajectory."""
    block = {"calibration": [{"controls.hot.start": "35 K"}]}

    def asked(system, *rest):
        run.ctx.stop._note(signal.SIGUSR1, None)
        return made(system, *rest)

    made, run = calibration._run, SimpleNamespace(ctx=context.create(COMM, folder))
    monkeypatch.setattr(calibration, "_run", asked)
    with pytest.raises(SolveError, match="made in one go"):
        reduce(deck(folder, reduce=block), run.ctx)
    assert not (folder / "rom.h5").exists()
    monkeypatch.undo()
    _, facts = reduce(deck(folder, reduce=block), context.create(COMM, folder))
    assert len(facts["ratios"]) == 1 and (folder / "rom.h5").exists()


@pytest.mark.mpi
@pytest.mark.pair
def test_a_checkpoint_without_steps_is_refused(folder):
    from plexus.compose import compose

    run = compose(
        deck(folder, output=[{"type": "checkpoint", "every": "4 steps"}]), context.create(COMM, folder)
    )
    run.execute()
    assert checkpoint.candidates(folder, COMM)
    with pytest.raises(InputError, match="has no steps of before"):
        reduce(deck(folder, reduce={}), context.create(COMM, folder), restart="latest")


@pytest.mark.mpi
@pytest.mark.pair
def test_models_of_several_runs_are_made_in_one_go(folder, stopped):
    with pytest.raises(SolveError, match="made in one go: give it more time"):
        march(deck(folder), context.create(COMM, folder), "temperature", 1.0)


@pytest.mark.skipif("SLURM_JOB_ID" in os.environ, reason="inside a job the words are those of its scheduler")
def test_a_job_of_a_reduction_goes_on_by_its_own_command(capsys, tmp_path):
    import plexus.cli

    words = ["submit", "--reduce", "input_decks/rom/pulled_plate.yaml", "--profile", "workstation", "--print"]
    assert plexus.cli.main([*words, "-o", str(tmp_path / "made"), "--restart"]) == 0
    assert f"command=(reduce input_decks/rom/pulled_plate.yaml -o {tmp_path}/made --restart latest)" in (
        capsys.readouterr().out
    )
