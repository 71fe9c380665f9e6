"""Orders of the steppers on a scalar nonlinear problem, error control, and exact restarts."""

import math
import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "contract"))
from hosts import label, stepper_variants
from step_problems import made

from plexus.fields.state import State
from plexus.protocols import Implicit
from plexus.stepping.clock import Clock
from plexus.stepping.controllers.error import Error, ErrorParams
from plexus.stepping.controllers.fixed import Fixed, FixedParams
from plexus.stepping.steppers.quasistatic import Quasistatic, QuasistaticParams


class Ode:
    """u_t = -u² + u_exact² + u_exact' with u = 2 + sin t, and the follower w = u²; same calls as System."""

    evolving, instantaneous, together, algebraic = ("u",), ("w",), {}, frozenset()
    passes = None

    def solve(self, name, values, at, held=False):
        t, shift, offset = at.t, at.shift, at.offset
        if name == "w":
            values["w"][:] = values["u"] ** 2
            return 1
        u = values["u"]
        rate = 0.0 if offset is None else 1.0
        for _ in range(30):
            f = rate * (shift * u + (0 if offset is None else offset)) + u**2 - (2 + math.sin(t)) ** 2
            f -= rate * math.cos(t)
            u -= f / (rate * shift + 2 * u)
        return 1

    def prescribe(self, name, t, array):
        pass

    def rms(self, name, array):
        return float(np.sqrt(np.mean(array**2)))

    def largest(self, name, array):
        return float(np.max(np.abs(array)))


def start():
    return State({"u": np.array([[2.0]]), "w": np.array([[4.0]])})


def march(stepper, controller, clock, state, steps=10**9):
    system, sizes = Ode(), []
    while not clock.done and len(sizes) < steps:
        dt = controller.propose(clock, None)
        result = stepper.step(system, state, clock.t, dt)
        if not controller.accept(dt, result.error, stepper.order):
            continue
        clock.tick(dt)
        state = State(result.values, clock.t, clock.step)
        sizes.append(dt)
    return state, sizes


STEPPERS = [v for v in stepper_variants(Implicit) if made(v["type"], v).order > 0]
steppers = pytest.mark.parametrize("given", STEPPERS, ids=label)


@steppers
def test_order(given):
    order, errors = made(given["type"], given).order, []
    for n in (40, 80, 160):
        state, _ = march(
            made(given["type"], given), Fixed(FixedParams(), 2 / n, 1.0), Clock(0.0, 2.0), start()
        )
        errors.append(abs(state.values["u"][0, 0] - 2 - math.sin(2.0)))
        assert state.values["w"][0, 0] == pytest.approx(state.values["u"][0, 0] ** 2, rel=1e-14)
    assert math.log2(errors[1] / errors[2]) == pytest.approx(order, abs=0.15)


@steppers
def test_adaptive_error_follows_the_tolerance(given):
    errors, counts = [], []
    for tolerance in (1e-3, 1e-5):
        control = Error(ErrorParams(min=1e-9, max=1.0), 1e-3, 1.0)
        state, sizes = march(made(given["type"], given, tolerance), control, Clock(0.0, 6.0), start())
        errors.append(abs(state.values["u"][0, 0] - 2 - math.sin(6.0)))
        counts.append(len(sizes))
    assert errors[0] < 2e-2 and errors[1] < errors[0] / 5
    assert counts[1] > 1.5 * counts[0] and counts[0] < 300


@steppers
@pytest.mark.parametrize("tolerance", [None, 1e-4])
def test_restart_continues_bit_for_bit(given, tolerance):

    def control():
        return (
            Error(ErrorParams(min=1e-9, max=1.0), 0.01, 1.0) if tolerance else Fixed(FixedParams(), 0.07, 1.0)
        )

    whole, _ = march(made(given["type"], given, tolerance), control(), Clock(0.0, 3.0), start())
    stepper, controller, clock = made(given["type"], given, tolerance), control(), Clock(0.0, 3.0)
    half, _ = march(stepper, controller, clock, start(), steps=9)
    meta, arrays = stepper.history()
    again, controller_again, clock_again = made(given["type"], given, tolerance), control(), Clock(0.0, 3.0)
    again.restore(meta, {k: a.copy() for k, a in arrays.items()})
    controller_again.restore(controller.state())
    clock_again.restore(clock.state())
    rest, _ = march(again, controller_again, clock_again, deepcopy(half))
    assert rest.values["u"][0, 0] == whole.values["u"][0, 0]
    assert (rest.t, rest.step) == (whole.t, whole.step)


def test_quasistatic_follows_the_load():
    state, _ = march(
        Quasistatic(QuasistaticParams()), Fixed(FixedParams(), 0.5, 1.0), Clock(0.0, 2.0), start()
    )
    assert state.values["u"][0, 0] == pytest.approx(2 + math.sin(2.0), rel=1e-12)
