"""Controls are trained through the solver, by groups of ranks that cut each run among them."""

import json

import h5py
import numpy as np
import pytest
from controlled import DECK, NETWORK, REFERENCE, in_fourier_space, on_cells, written
from mpi4py import MPI

from plexus import driver
from plexus.deck.load import load
from plexus.errors import DeckError, InputError
from plexus.io import fitted
from plexus.learning.main import train
from plexus.runtime import context
from plexus.tasks import Request, named

EXACT = DECK.replace(NETWORK, "{type: scalar, start: 0.1}").replace("coefficient: k", "coefficient: 1 + k*u")
"""With a law of which the reference's is a case, so that it can be found exactly."""
LBFGS = "train.stages=[{type: fit, steps: 3, optimizer: {type: lbfgs, iterations: 10}}]"
SHORT = ("time.end=0.1", "train.data.times.end=0.1", "train.data.vary.parameters={parameters.load: [3, 8]}",
         "controls.k.inputs={x: [0, 1]}")  # fmt: skip
"""One linear step: what ranks say to each other is the same, and less of it."""
FILES = "train={part: controls, data: {type: files, files: [deck.yaml], columns: {u: u}}}"
SAME = ("mesh.cells=9", "time.step=0.05")
STEADY = ("mesh.cells=9", "time=null", "train.data.times=null")

POINTS = """
plexus: 1
controls: {k: {type: scalar, start: 1.3}}
physics: {type: lorenz96}
initial: {state: "k + 0.1*sin(x)"}
time: {stepper: runge_kutta, end: 0.1 s, step: 0.01 s}
train:
  part: controls
  data: {type: runs, deck: reference.yaml, fields: {state: state}}
  stages: [{type: fit, steps: 1, optimizer: lbfgs}]
"""


def trained(folder, *overrides, restart=None):
    code = driver.perform(Request(folder / "deck.yaml", overrides, folder / "out", restart), named("train"))
    return code, json.loads((folder / "out/summary.json").read_text())


@pytest.mark.parametrize("same", [SAME, STEADY])
def test_a_law_is_found_through_the_solver_and_read_by_a_run(same, tmp_path):
    """On the reference's own mesh and steps the number is exact; the file is one that `fitted` reads."""
    reference = REFERENCE if same is SAME else REFERENCE.partition("time:")[0]
    written(tmp_path, EXACT, reference)
    code, told = trained(tmp_path, LBFGS, *same)
    (row,) = told["validation"]
    assert code == 0 and row["metric"] == "u relative MSE"
    assert row["value"] < 1e-12 < row["baselines"]["start"]
    values, _ = fitted.read(tmp_path / "out/controls.h5", "k")
    assert values == pytest.approx([0.5], rel=1e-6)
    found = highest(tmp_path / "deck.yaml", "controls.k.fitted=out/controls.h5", *same)
    assert found == pytest.approx(highest(tmp_path / "reference.yaml"), rel=1e-6)


def highest(deck, *overrides):
    """Return the largest value at the end of a run."""
    out = deck.with_suffix("")
    top = ("parameters.load=6", "quantities={top: {type: maximum, of: u}}")
    assert driver.run(deck, (*overrides, *top), out) == 0
    return json.loads((out / "summary.json").read_text())["quantities"]["top"]


def on(comm, folder, per, short=SHORT):
    """Train on some ranks, `per` of them for a run; return losses and numbers of the controls."""
    folder.mkdir(exist_ok=True)
    ctx = context.create(comm, folder)
    deck = load(folder.parent / "deck.yaml", (f"train.ranks.per_sample={per}", *short))
    ctx.describe(deck.effective_yaml())
    assert train(deck, ctx) == 0
    found = None
    if comm.rank == 0:
        with h5py.File(folder / "series.h5") as file:
            found = file["training/loss"][:], fitted.read(folder / "controls.h5", "k")[0]
    return comm.bcast(found)


@pytest.mark.mpi
def test_losses_and_weights_are_those_of_one_rank(tmp_path):
    """Of ranks that take other runs, and of ranks that cut each run among them."""
    comm = MPI.COMM_WORLD
    place = comm.bcast(tmp_path)
    if comm.rank == 0:
        written(place)
    comm.Barrier()
    alone = on(MPI.COMM_SELF, place / f"alone{comm.rank}", 1)
    assert len(alone[0]) == 20 and alone[0][-1] < 0.7 * alone[0][0]
    for per in sorted({1, comm.size}):
        losses, numbers = on(comm, place / f"per{per}", per)
        np.testing.assert_allclose(losses, alone[0], rtol=1e-10)
        np.testing.assert_allclose(numbers, alone[1], rtol=1e-10, atol=1e-12)


@pytest.mark.mpi
@pytest.mark.parametrize(
    ("texts", "digits", "steps"),
    [(on_cells("ssp_rk"), 1e-10, 5), (on_cells("theta"), 1e-8, 3), (in_fourier_space(), 1e-10, 10)],
    ids=["explicit cells", "implicit cells", "Fourier space"],
)
def test_runs_on_cells_and_in_fourier_space_are_cut_among_ranks(texts, digits, steps, tmp_path):
    comm = MPI.COMM_WORLD
    place = comm.bcast(tmp_path)
    if comm.rank == 0:
        written(place, *texts)
    comm.Barrier()
    short = (f"train.stages[0].steps={steps}",)
    alone = on(MPI.COMM_SELF, place / f"alone{comm.rank}", 1, short)
    assert len(alone[0]) == steps and alone[0][-1] < 0.9 * alone[0][0]
    for per in sorted({1, comm.size}):
        losses, numbers = on(comm, place / f"per{per}", per, short)
        np.testing.assert_allclose(losses, alone[0], rtol=digits)
        np.testing.assert_allclose(numbers, alone[1], rtol=digits)


def test_runs_that_places_do_not_tell_are_refused(tmp_path):
    """An ensemble has several values at a place, a model without a mesh has no places."""
    cells = written(tmp_path, *on_cells("ssp_rk"))
    with pytest.raises(DeckError, match=r"ensemble: the runs of a training hold one member"):
        load(cells, ("ensemble={members: 2, seed: 1}",))
    written(tmp_path, POINTS)
    with pytest.raises(DeckError, match=r"train\.part: controls are trained on runs with a mesh"):
        load(cells)


@pytest.mark.mpi
def test_ranks_that_fill_no_groups_are_refused(tmp_path):
    comm = MPI.COMM_WORLD
    place = comm.bcast(tmp_path)
    if comm.rank == 0:
        written(place)
    comm.Barrier()
    deck = load(place / "deck.yaml", (f"train.ranks.per_sample={comm.size + 1}",))
    with pytest.raises(InputError, match=r"train\.ranks\.per_sample: .* no whole number of groups"):
        train(deck, context.create(comm, place))


def test_a_run_that_fails_ends_the_training_with_its_reason(tmp_path):
    """On all ranks, and with the member that failed."""
    written(tmp_path, EXACT.replace("rtol: 1e-12", "rtol: 1e-12, snes_max_iterations: 1"))
    with pytest.raises(SystemExit):
        trained(tmp_path, *SAME)
    message = json.loads((tmp_path / "out/summary.json").read_text())["message"]
    assert "not finite: parameters.load=3" in message


@pytest.mark.parametrize(
    ("override", "place", "text"),
    [
        ("train.part=closure", "train.part", "a training needs a learned part"),
        ("controls.k.regularisation={weight: 1}", "controls.k.regularisation", "`plexus calibrate` does"),
        ("train.stages[0].optimizer=levenberg_marquardt", "train.stages[0].optimizer", "one march back"),
        ("train.output=a.safetensors", "train.output", "ends with .h5"),
        (FILES, "train.data", "which data of type files lack; runs has"),
        ("train.data.fields={v: u}", "train.data.fields.v", "no unknown called 'v'"),
        ("train.data.vary.parameters={parameters.lod: [1]}", "train.data.vary", "none to vary"),
        ("time=null", "train.data.times", "the deck's run is steady"),
        ("job={ranks_per_node: 3}", "train.ranks.per_sample", "3 ranks are no whole number of groups of 2"),
    ],
)  # fmt: skip
def test_mistakes_are_told_with_their_place(tmp_path, override, place, text):
    written(tmp_path)
    with pytest.raises(DeckError) as found:
        load(tmp_path / "deck.yaml", ("train.ranks.per_sample=2", override))
    told = [p for p in found.value.problems if text in p.message and p.path.startswith(place)]
    assert told and all(p.mark is not None for p in told)


def test_samples_that_are_whole_on_every_rank_are_refused_in_parts(tmp_path):
    """A closure is trained by ranks that take other samples."""
    from csv_tables import DECK as CLOSURE

    written(tmp_path, CLOSURE.format(data="{type: none, points: 9}", stages="[{type: fit, loss: residual}]"))
    with pytest.raises(DeckError, match=r"per_sample: every rank has whole samples of data of type none"):
        load(tmp_path / "deck.yaml", ("train.ranks={per_sample: 2}",))
