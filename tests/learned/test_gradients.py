"""Gradients through the solver, and what they find: constants of the physics from frames (AF26, AF27)."""

from dataclasses import replace

import pytest
import torch
from trainings import deck, summary, train

from plexus.learning.session import Session
from plexus.learning.stages._march import rolled, start_from
from plexus.learning.stages._rollouts import RollOuts, model
from plexus.runtime import context
from plexus.runtime.log import Log

LEAD = 20


@pytest.fixture(scope="module", params=[1, 2])
def session(request, tmp_path_factory):
    """A training whose data are there and whose weights are not zero."""
    from mpi4py import MPI

    folder, order = tmp_path_factory.mktemp("gradients"), request.param
    stages = f"train.stages=[{{type: unrolled, unroll: [{LEAD}]}}]"
    frames = "train.data.frames={start: 5, end: 6, every: 0.5}"
    more = [f"physics.order={order}", f"closure.moment={order + 1}", stages, frames]
    ctx = context.create(MPI.COMM_SELF, folder)
    ctx.log = Log(MPI.COMM_SELF)
    made = Session(deck(folder, *more), ctx)
    made.prepare()
    generator = torch.Generator().manual_seed(3)
    for parameter in made.part.network.parameters():
        shape = parameter.shape
        parameter.data += 0.1 * torch.randn(shape, generator=generator, dtype=parameter.dtype)
    return made


def loss_of(session, medium, known=True, truncate=None):
    reduced = model(session, session.trained())
    reduced.change(replace(reduced.medium, **medium))
    places = torch.arange(2)
    rollouts = RollOuts(reduced, session, truncate)
    ends = (rollouts.from_flow if known else rollouts.from_moments)(places, LEAD)
    return ends.moments().sum() + ends.strain().sum()


def relative(found, expected):
    return abs(found - expected) / abs(expected)


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("name", ["alpha", "zeta"])
def test_gradient_of_a_constant_through_twenty_steps(session, name, known):
    """AF26; started from the kinetic strain rate, and from the one that the moments drive."""
    base = {"alpha": -2.7, "zeta": 1.1}
    tensors = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in base.items()}
    loss = loss_of(session, tensors, known)
    found = float(torch.autograd.grad(loss, tensors[name])[0])
    step, values = 1e-4, []
    with torch.no_grad():
        for sign in (-2, -1, 1, 2):
            moved = {
                k: torch.tensor(v + sign * step * (k == name), dtype=torch.float64) for k, v in base.items()
            }
            values.append(float(loss_of(session, moved, known)))
    a, b, c, d = values
    expected = (a - 8 * b + 8 * c - d) / (12 * step)  # fourth order
    assert relative(found, expected) <= 1e-5


@pytest.mark.parametrize("layer", [0, -1])
def test_gradient_of_a_weight_through_twenty_steps(session, layer):
    """AF26."""
    weight = list(session.part.network.parameters())[layer]
    medium = {"alpha": torch.tensor(-3.0, dtype=torch.float64)}
    found = torch.autograd.grad(loss_of(session, medium), weight)[0].flatten()
    place = int(found.abs().argmax())
    step, values = 1e-3, []
    flat = weight.data.view(-1)
    kept = float(flat[place])
    with torch.no_grad():
        for sign in (-2, -1, 1, 2):
            flat[place] = kept + sign * step
            values.append(float(loss_of(session, medium)))
        flat[place] = kept
    a, b, c, d = values
    assert relative(float(found[place]), (a - 8 * b + 8 * c - d) / (12 * step)) <= 1e-5


def test_truncation_cuts_gradients_but_no_values(session):
    alpha = torch.tensor(-2.7, dtype=torch.float64, requires_grad=True)
    whole, cut = (loss_of(session, {"alpha": alpha}, truncate=n) for n in (None, 5))
    assert float(whole.detach()) == pytest.approx(float(cut.detach()), rel=1e-12)
    one, other = (float(torch.autograd.grad(loss, alpha)[0]) for loss in (whole, cut))
    assert other != pytest.approx(one, rel=1e-3)


def test_a_roll_out_is_the_march_of_a_run(session):
    """The pure functions take the same steps as the stepper of a deck."""
    from plexus import registry
    from plexus.stepping.march import march

    reduced, inputs, dt = model(session, session.trained()), session.samples.inputs, session.deck.time.step
    carried = [inputs[f"f{m}"][0] for m in range(1, reduced.order + 1)]
    start = start_from(reduced, torch.stack([inputs["c"][0] + 0j, *carried]))
    member = registry.component("stepper", "sbdf2")
    with torch.no_grad():
        pure = rolled(reduced, start, dt, (3, LEAD))[LEAD]
        reduced.reset()
        *_, plain = march(reduced, member.cls(member.params()), start.modes, dt, LEAD)
    assert float((pure.modes - plain.values[reduced.unknown]).abs().max()) <= 1e-13


def test_constants_are_inferred_from_ten_frames(tmp_path):
    """AF27 on a small grid, with the classical closure of the two-moment model: start 30 % off."""
    infer = (
        "train.stages=[{type: infer, steps: 4, horizon: 5, guess: {alpha: -2.1, zeta: 1.3}}]",
        "train.data.frames={start: 6, end: 8.16, every: 0.24}",
        "train.data.cases=[{alpha: -3, zeta: 1, seed: 1}]",
        "train.validation=null",
    )
    folder = train(tmp_path, *infer)
    found = summary(folder)["quantities"]
    assert found["alpha"] == pytest.approx(-3, rel=0.05)
    assert found["zeta"] == pytest.approx(1, rel=0.05)
    assert not (folder / "bundle.safetensors").exists()
