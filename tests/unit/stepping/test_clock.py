"""The clock lands exactly on prescribed times and does not drift."""

import math
from itertools import pairwise

import pytest

from plexus.errors import SolveError
from plexus.stepping.clock import Clock
from plexus.stepping.controllers.courant import Courant, CourantParams
from plexus.stepping.controllers.error import Error, ErrorParams
from plexus.stepping.controllers.failures import Failures, FailuresParams
from plexus.stepping.controllers.fixed import Fixed, FixedParams


def march(clock, controller, targets=()):
    """Run to the end with every step accepted; return the times."""
    times = []
    while not clock.done:
        target = next((t for t in targets if t > clock.t), None)
        dt = controller.propose(clock, target)
        clock.tick(dt, target)
        times.append(clock.t)
    return times


def test_a_million_steps_do_not_drift():
    clock = Clock(0.0, 1e9)
    for _ in range(1_000_000):
        clock.tick(0.1)
    assert clock.t == pytest.approx(100_000.0, rel=1e-15)


@pytest.mark.parametrize("step, count", [(0.1, 10), (0.3, 4), (1 / 3, 3), (0.01, 100), (2.0, 1)])
def test_fixed_steps_end_exactly_after_the_expected_number(step, count):
    clock = Clock(0.0, 1.0)
    assert len(march(clock, Fixed(FixedParams(), step, 1.0))) == count
    assert clock.t == 1.0


def test_prescribed_times_are_hit_exactly():
    targets = [0.25, 0.5, 0.7, math.pi / 4]
    times = march(Clock(0.0, 1.0), Fixed(FixedParams(), 0.1, 1.0), targets)
    assert set(targets) <= set(times)
    assert all(b > a + 1e-6 for a, b in pairwise(times))


def test_no_sliver_is_left_before_a_target():
    times = march(Clock(0.0, 1.0), Fixed(FixedParams(), 0.1, 1.0), [0.3 + 1e-9])
    assert 0.3 + 1e-9 in times
    assert len(times) == 10


def test_small_steps_at_a_late_time_do_not_jump():
    clock = Clock(1e6, 1e6 + 1)
    clock.tick(1e-5)
    assert clock.t == pytest.approx(1e6 + 1e-5, abs=1e-10)
    assert clock.t < 1e6 + 2e-5


def test_clock_state_continues():
    one, two = Clock(0.0, 10.0), Clock(0.0, 10.0)
    for _ in range(33):
        one.tick(0.1)
    two.restore(one.state())
    one.tick(0.1)
    two.tick(0.1)
    assert (one.t, one.step) == (two.t, two.step)


def test_adaptive_step_follows_the_error_and_ends_at_the_smallest():
    clock, control = Clock(0.0, 1.0), Error(ErrorParams(min=0.01, max=0.5), 0.1, 0.5)
    dt = control.propose(clock, None)
    assert control.accept(dt, 1e-3, 1) and control.step == pytest.approx(0.2)
    assert not control.accept(0.1, 100.0, 1) and control.step == pytest.approx(0.02)
    assert control.rejected == 1
    with pytest.raises(SolveError, match="smallest"):
        control.accept(0.01, 100.0, 1)


def test_adaptive_step_halves_the_way_to_a_near_target():
    clock, control = Clock(0.0, 1.0), Error(ErrorParams(min=0.01, max=0.5), 0.1, 0.5)
    assert control.propose(clock, 0.15) == pytest.approx(0.075)
    assert control.propose(clock, 0.05) == 0.05
    assert control.accept(0.05, 0.9, 1) and control.step == 0.1


def test_step_recovers_after_a_failed_solve_without_any_estimate():
    control = Error(ErrorParams(min=0.01, max=1.0), 0.4, 1.0)
    control.failed(0.4, SolveError("no"))
    sizes = [control.step]
    for _ in range(5):
        assert control.accept(control.step, None, 0)
        sizes.append(control.step)
    assert sizes[0] == pytest.approx(0.1) and sizes[-1] == 0.4


def test_failures_shorten_a_step_that_grows_back():
    clock, control = Clock(0.0, 10.0), Failures(FailuresParams(min=0.05), 1.0, 10.0)
    control.failed(control.propose(clock, None), SolveError("no"))
    assert control.propose(clock, None) == 0.25 and control.rejected == 1
    grown = [control.propose(clock, None) for _ in range(5) if control.accept(control.step, None, 1)]
    assert grown == pytest.approx([0.375, 0.5625, 0.84375, 1.0, 1.0])
    again = Failures(FailuresParams(min=0.05), 1.0, 10.0)
    control.failed(0.2, SolveError("no"))
    again.restore(control.state())
    assert (again.step, again.rejected) == (control.step, 2) == (0.05, 2)
    with pytest.raises(SolveError, match="smallest allowed, but no"):
        control.failed(0.05, SolveError("no"))


def test_courant_follows_the_limit_up_to_the_step_of_the_deck():
    clock, control = Clock(0.0, 10.0), Courant(CourantParams(number=0.5), 0.3, 10.0)
    assert control.propose(clock, None, lambda: 0.2) == 0.1
    assert control.propose(clock, None, lambda: 5.0) == 0.3
    assert control.propose(clock, 0.04, lambda: 0.2) == 0.04


def test_a_restart_keeps_to_the_limits_of_its_own_deck():
    long = {"step": 3.0, "previous": 0.5, "rejected": 2}
    adaptive = Error(ErrorParams(max=0.5), 0.1, 10.0)
    adaptive.restore(long)
    assert adaptive.propose(Clock(0.0, 10.0), None) == 0.5
    cautious = Failures(FailuresParams(), 0.1, 10.0)
    cautious.restore(long)
    assert cautious.propose(Clock(0.0, 10.0), None) == 0.1
    assert adaptive.rejected == cautious.rejected == 2
