"""What data, losses and stages of a training promise; optimisers are tested with their orders."""

import importlib
import itertools
import json

import pytest
import torch
from test_protocols import assert_fits
from training_hosts import DATA, deck, session, session_of

from plexus import driver, protocols, registry
from plexus.learning.batch import Batch
from plexus.runtime.stop import StopRequests, Verdict
from plexus.solvers.multigrid.network import FEATURES
from plexus.tasks import Request, named


@pytest.mark.parametrize("name", registry.names("data"))
def test_data_are_what_they_say(name, tmp_path):
    made = session(tmp_path, name)
    samples, offers = made.samples, made.data.offers
    assert samples.number.tolist() == list(range(samples.total)) and samples.total > 1
    assert bool(samples.targets) == ("targets" in offers)
    assert (made.space is not None) == ("grid" in offers)
    assert {p.name for p in made.part.outputs} == set(samples.targets) or not samples.targets
    for tensor in (*samples.inputs.values(), *samples.targets.values()):
        assert len(tensor) == samples.total and bool(tensor.isfinite().all())
        assert made.space is None or tensor.shape[1:] == made.space.shape
    told = made.data.tell(made)
    assert {"generator", "parameters", "seeds", "frames", "points", "filter"} <= set(told["training"])
    assert len(told["domain"]["cells"]) == len(told["domain"]["size"])
    assert json.dumps([told, made.data.case(int(samples.group[-1]))])
    assert made.data.words() and made.data.room(made.plan.data, 1000) >= 0
    again = made.data.samples(made, ())
    assert all(torch.equal(again.inputs[k], v) for k, v in samples.inputs.items())


LEARNED = [
    (kind, name)
    for kind in registry.KINDS
    for name in registry.names(kind)
    if registry.component(kind, name).params.learned
]


@pytest.mark.parametrize(("kind", "name"), LEARNED)
def test_every_learned_part_can_be_trained(kind, name):
    cls = registry.component(kind, name).cls
    assert_fits(cls, protocols.Trainable)
    assert cls.judged_by == "targets" or callable(cls.judged)
    if kind != "preconditioner":  # which fills no gap of a model
        assert_fits(cls, protocols.Learned)


@pytest.mark.parametrize("data", ["ritz", "systems"])
def test_a_preconditioner_answers_its_training_as_its_bundle(data, tmp_path):
    part = session(tmp_path, data).part
    for value in part.network.parameters():  # fresh ones of a multigrid answer one
        value.data += 0.1
    part.use_range(part.range_of({}) if data == "ritz" else dict.fromkeys(range(len(FEATURES)), (-1.0, 1.0)))
    pair = part.golden({})
    found = part.raw(pair.inputs)
    assert {*found} == {*pair.outputs} == {p.name for p in part.outputs}
    assert {*pair.inputs} == {p.name for p in part.inputs}
    assert all(torch.allclose(found[k].detach(), v, rtol=1e-5, atol=1e-7) for k, v in pair.outputs.items())
    told = part.compared(pair.inputs, found, pair.outputs)
    assert len(told) == len(found) and not part.compared(pair.inputs, found, {})


@pytest.mark.parametrize("name", registry.names("data"))
def test_every_data_has_a_host(name):
    assert name in DATA


def batch_of(made, numbers, size):
    inputs, targets, place = made.samples.whole(numbers)
    return Batch(made.part, made.space, inputs, targets, place, size)


@pytest.mark.parametrize("name", registry.names("loss"))
def test_rows_of_a_loss_are_its_square_root(name, tmp_path):
    made = session_of(name, tmp_path)
    loss = registry.build("loss", params("loss", name))
    loss.start(made, torch.arange(6))
    batch = batch_of(made, torch.arange(6), 6)
    part, rows = loss.part(batch), loss.rows(batch)
    assert rows.dim() == 1 and not rows.is_complex()
    assert float(part.detach()) == pytest.approx(float(rows.detach().square().sum()), rel=1e-12)
    variables = list(made.part.network.parameters())
    one, other = (torch.autograd.grad(v, variables) for v in (part, rows.square().sum()))
    assert all(torch.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", registry.names("loss"))
def test_a_loss_is_a_sum_over_its_batch(name, tmp_path):
    """What ranks have of a batch adds up to the whole, gradients too."""
    made = session_of(name, tmp_path)
    loss = registry.build("loss", params("loss", name))
    loss.start(made, torch.arange(6))
    whole = float(loss.part(batch_of(made, torch.arange(6), 6)).detach())
    shares = [float(loss.part(batch_of(made, n, 6)).detach()) for n in torch.arange(6).split([1, 3, 2])]
    assert sum(shares) == pytest.approx(whole, rel=1e-12) and min(shares) > 0


def params(kind, name):
    component = registry.component(kind, name)
    example = importlib.import_module(component.cls.__module__).EXAMPLE
    made = component.params.model_validate({k: v for k, v in example.items() if k != "type"})
    made._type = name
    return made


STAGE = {
    "fit": "{type: fit, steps: 4, batch: 64}",
    "active": "{type: active, rounds: 2, acquire: 2, steps: 2, batch: 64}",
    "unrolled": "{type: unrolled, steps: 4, unroll: [1, 3], batch: 2}",
    "infer": "{type: infer, steps: 4, horizon: 2, guess: {zeta: 1.3}, optimizer: {type: adam, rate: 0.05}}",
    "conjugate_gradients": "{type: conjugate_gradients, steps: 4, iterations: 2}",
    "conjugate_directions": "{type: conjugate_directions, steps: 4, iterations: 2}",
}
"""A block for each stage that takes four steps."""


def losses(folder):
    import h5py

    with h5py.File(folder / "series.h5") as file:
        return file["training/loss"][:].tolist()


@pytest.mark.parametrize("name", registry.names("stage"))
def test_a_stage_goes_on_where_it_was_stopped(name, tmp_path, monkeypatch):
    """Bit for bit, from every one of its steps."""
    if name == "direct":
        pytest.skip("one solve, without steps to go on from")
    assert name in STAGE
    deck(tmp_path, "systems" if name.startswith("conjugate") else "kinetic", STAGE[name])

    def train(folder, restart=None):
        return driver.perform(Request(tmp_path / "deck.yaml", (), tmp_path / folder, restart), named("train"))

    assert train("whole") == 0
    for stop in range(3):
        count = itertools.count()
        with monkeypatch.context() as patch:
            agree = lambda *_, stop=stop, count=count: Verdict("now" if next(count) == stop else None, 0.0)  # noqa: E731
            patch.setattr(StopRequests, "agree", agree)
            assert train(f"half{stop}") == 75
        assert train(f"half{stop}", "latest") == 0
        assert losses(tmp_path / f"half{stop}") == losses(tmp_path / "whole")
    told, again = (json.loads((tmp_path / f / "summary.json").read_text()) for f in ("whole", "half2"))
    assert told["quantities"] == again["quantities"] and told["steps"] == 4
