"""Steppers of spectral models: orders, error control, stability for stiff modes, restarts, gradients."""

import math
import sys
from decimal import Decimal, localcontext
from functools import partial
from pathlib import Path

import pytest
import torch

sys.path.append(str(Path(__file__).parents[2] / "contract"))
sys.path.insert(0, str(Path(__file__).parent))
from hosts import label, stepper_variants
from spectral_cases import Burgers, march
from step_problems import made

from plexus.fields.state import State
from plexus.protocols import Split
from plexus.spaces.fourier import Fourier
from plexus.stepping.clock import Clock
from plexus.stepping.controllers.error import Error, ErrorParams
from plexus.stepping.split import phi
from plexus.stepping.steppers.imex_rk import TABLEAUS, ImexRk, ImexRkParams
from plexus.stepping.steppers.sbdf2 import Sbdf2, Sbdf2Params

STEPPERS = stepper_variants(Split)
steppers = pytest.mark.parametrize("given", STEPPERS, ids=label)


def maker(given):
    """Return what makes a stepper, and its order."""
    return partial(made, given["type"], given), made(given["type"], given).order


def burgers(cells=(64,), nu=0.5):
    return Burgers(Fourier(cells, [2 * math.pi] * len(cells), real=True, dealias="none"), nu)


def errors(make, model, counts, end=2.0):
    found = []
    for count in counts:
        times = [end * i / count for i in range(count + 1)]
        hat = march(model, make(), model.start(), times)
        found.append(float((model.space.inverse(hat) - model.exact(end)).abs().max()))
    return found


class Forced:
    """Modes that relax to s(t) = sin t at very different rates: u' = λ(u - s) + s' + (s - u)²."""

    unknown = "u"

    def __init__(self, rates=(0.0, -1.0, -20.0)):
        self.linear = torch.tensor(rates, dtype=torch.float64)

    def exact(self, t):
        return torch.full_like(self.linear, math.sin(t)) + 0j

    def explicit(self, hat, t):
        s = math.sin(t)
        return -self.linear * s + math.cos(t) + (s - hat) ** 2

    def rms(self, hat):
        return float(hat.abs().square().mean().sqrt())


@steppers
@pytest.mark.parametrize("cells", [(64,), (32, 24)])
def test_order_on_burgers(given, cells):
    make, order = maker(given)
    coarse, fine = errors(make, burgers(cells), (20, 40))
    assert math.log2(coarse / fine) > order - 0.25
    assert fine < 2e-4


@steppers
def test_order_with_a_term_that_depends_on_time(given):
    make, order = maker(given)
    found = []
    for count in (40, 80):
        times = [i / count for i in range(count + 1)]
        model = Forced((0.0, -1.0, -3.0))
        found.append(float((march(model, make(), model.exact(0), times) - model.exact(1)).abs().max()))
    assert math.log2(found[0] / found[1]) > order - 0.15


def test_sbdf2_keeps_its_order_with_steps_of_changing_length():
    found = []
    for count in (20, 40):
        times = [0.0]
        for i in range(count):
            times.append(times[-1] + (1.5 if i % 2 else 0.5) * 2 / count)
        model = burgers()
        hat = march(model, Sbdf2(Sbdf2Params()), model.start(), times)
        found.append(float((model.space.inverse(hat) - model.exact(times[-1])).abs().max()))
    assert math.log2(found[0] / found[1]) > 1.85


def test_sbdf2_starts_afresh_after_a_step_that_was_cut_short():
    """A jump of N within a tiny step is not carried on over the long step that follows."""
    model = burgers()
    stepper, state = Sbdf2(Sbdf2Params()), State({"u": model.start()})
    state = State(stepper.step(model, state, 0.0, 0.1).values, 0.1)
    state = State(stepper.step(model, state, 0.1, 1e-6).values, 0.1 + 1e-6)
    model.explicit = lambda hat, t, exact=model.explicit: exact(hat, t) * 1.01
    calls = model.calls
    new = stepper.step(model, state, 0.1 + 1e-6, 0.1).values["u"]
    assert model.calls == calls + 2
    assert float((model.space.inverse(new) - model.exact(0.2)).abs().max()) < 1e-3
    # from here on there are two values at a proper distance again
    stepper.step(model, State({"u": new}), 0.2 + 1e-6, 0.1)
    assert model.calls == calls + 3


def test_sbdf2_evaluates_once_per_step_and_not_again_for_a_repeated_step():
    model, stepper = burgers(), Sbdf2(Sbdf2Params())
    state = State({"u": model.start()})
    stepper.step(model, state, 0.0, 0.2)
    calls = model.calls
    state = State(stepper.step(model, state, 0.0, 0.1).values, 0.1, 1)
    assert model.calls == calls + 1  # only the second stage of the start
    stepper.step(model, state, 0.1, 0.1)
    assert model.calls == calls + 2


@steppers
def test_stiff_modes_decay(given):
    """One step over a thousand relaxation times leaves nothing of a perturbation."""
    make, _ = maker(given)
    model = Forced((-1e6,))
    model.explicit = lambda hat, t: 0 * hat
    hat = march(model, make(), torch.ones(1, dtype=torch.complex128), [0.0, 1.0, 2.0, 3.0, 4.0])
    assert abs(complex(hat[0])) < 1e-5


@steppers
def test_restart_continues_exactly(given):
    make, _ = maker(given)
    model = burgers()
    times = [0.0, 0.1, 0.25, 0.3, 0.5]
    whole = march(model, make(), model.start(), times)
    first, second = make(), make()
    half = march(model, first, model.start(), times[:3])
    meta, arrays = first.history()
    assert all(key.field == "u" for key in arrays)
    second.restore(meta, {key: array.clone() for key, array in arrays.items()})
    assert float((march(model, second, half, times[2:]) - whole).abs().max()) <= 1e-15


@steppers
def test_gradient_through_steps(given):
    """Derivative of the final energy by the amplitude of the start, against central differences."""
    make, _ = maker(given)
    model = burgers((32,), 0.2)

    def energy(factor):
        hat = march(model, make(), model.start() * factor, [0.0, 0.1, 0.2, 0.3])
        return model.space.power(hat).sum()

    factor = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    energy(factor).backward()
    h = 1e-5
    difference = (energy(1 + h) - energy(1 - h)) / (2 * h)
    assert float(factor.grad) == pytest.approx(float(difference), rel=1e-7)


def test_phi_functions_have_all_digits():
    """Against their definitions in 60 digits."""
    z = torch.tensor([0.0, -1e-12, -1e-3, -0.3, -0.999, -1.001, -3.0, -40.0, -1e4], dtype=torch.float64)
    with localcontext(prec=60):
        for x, *values in torch.stack([z, *phi(z, 3)]).T.tolist():
            last = Decimal(x).exp()
            for j, value in enumerate(values, start=1):
                last = (last - 1 / Decimal(math.factorial(j - 1))) / Decimal(x) if x else None
                exact = float(last) if x else 1 / math.factorial(j)
                assert value == pytest.approx(exact, rel=2e-14), (j, x)


@pytest.mark.parametrize("order", TABLEAUS)
def test_order_conditions_of_the_additive_methods(order):
    """Trees up to the order, also those that mix both parts; the embedded weights reach one order less."""
    t = TABLEAUS[order]
    s = len(t.times)
    c = torch.tensor(t.times, dtype=torch.float64)
    both = torch.zeros(2, s, s, dtype=torch.float64)
    for i in range(s):
        for j in range(i):
            both[0, i, j], both[1, i, j] = t.explicit[i][j], t.implicit[i][j]
        both[1, i, i] = t.diagonal if i else 0.0
    assert torch.allclose(both.sum(-1), c.expand(2, s), atol=1e-15, rtol=0)

    def defects(weights):
        b = torch.tensor(weights, dtype=torch.float64)
        by_order = {1: [b.sum() - 1], 2: [b @ c - 1 / 2], 3: [b @ c**2 - 1 / 3], 4: [b @ c**3 - 1 / 4]}
        for x in both:
            by_order[3].append(b @ x @ c - 1 / 6)
            by_order[4] += [(b * c) @ x @ c - 1 / 8, b @ x @ c**2 - 1 / 12]
            by_order[4] += [b @ x @ y @ c - 1 / 24 for y in both]
        return {k: max(abs(float(d)) for d in found) for k, found in by_order.items()}

    whole, embedded = defects(t.weights), defects(t.embedded)
    assert all(whole[k] < 1e-14 for k in range(1, order + 1))
    assert all(embedded[k] < 1e-14 for k in range(1, order))
    assert embedded[order] > 1e-4


@pytest.mark.parametrize("order", [3, 4])
def test_adaptive_steps_reach_the_tolerance(order):
    found = []
    for tolerance in (1e-4, 1e-6):
        model = burgers((64,), 0.3)
        stepper = ImexRk(ImexRkParams(order=order), tolerance)
        controller, clock = Error(ErrorParams(min=1e-6, max=1.0), 0.01, 1.0), Clock(0.0, 3.0)
        state = State({"u": model.start()})
        while not clock.done:
            dt = controller.propose(clock, None)
            result = stepper.step(model, state, clock.t, dt)
            if controller.accept(dt, result.error, stepper.order):
                clock.tick(dt)
                state = State(result.values, clock.t, clock.step)
        error = float((model.space.inverse(state.values["u"]) - model.exact(3.0)).abs().max())
        found.append((error, clock.step))
    scale = float(burgers((64,), 0.3).exact(0.0).abs().max())
    assert found[0][0] < 1e-3 * scale
    assert found[1][0] < 1e-5 * scale
    assert found[0][1] < found[1][1] < 200
