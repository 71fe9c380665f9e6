"""What every controller promises: steps that end on time, memory, shorter steps after failures."""

from types import SimpleNamespace

import pytest
from hosts import example

from plexus import registry
from plexus.errors import SolveError
from plexus.stepping.clock import SLIVER, Clock

STEP, SPAN = 0.03, 1.0
members = pytest.mark.parametrize("name", registry.names("controller"))


def params(name):
    component = registry.component("controller", name)
    given = {k: v for k, v in example("controller", name).items() if k != "type"}
    return component.params.model_validate(given)


def made(name, span=SPAN):
    return registry.component("controller", name).cls(params(name), STEP, span)


def errors():
    """Yield error estimates as of a solution that changes at different speeds; some are too large."""
    while True:
        yield from (0.5, 0.9, 1.5, 0.2, 0.05, 0.6, None, 3.0, 0.4)


def march(controller, clock, estimates, target=None, limit=lambda: 0.2, steps=10**6):
    """Return the lengths of accepted and the number of rejected steps on the way to the end."""
    taken, rejected = [], 0
    while not clock.done and len(taken) < steps:
        dt = controller.propose(clock, target, limit)
        goal = min(clock.end, clock.end if target is None else target)
        assert 0 < dt <= (goal - clock.t) * (1 + SLIVER)
        if controller.accept(dt, next(estimates), 1):
            clock.tick(dt, target)
            taken.append(dt)
        else:
            rejected += 1
        if target is not None and clock.t >= target:
            target = None
    return taken, rejected


@members
def test_never_passes_the_target_or_the_end(name):
    clock = Clock(0.0, SPAN)
    controller = made(name)
    march(controller, clock, errors(), target=0.3171, steps=1)
    while clock.t < 0.3171:
        march(controller, clock, errors(), target=0.3171, steps=1)
    assert clock.t == 0.3171
    march(controller, clock, errors())
    assert clock.t == SPAN


@members
def test_no_step_is_longer_than_it_says(name):
    time = SimpleNamespace(step=STEP, start=0.0, end=SPAN)
    most = registry.component("controller", name).cls.longest(params(name), time)
    taken, _ = march(made(name), Clock(0.0, SPAN), iter(lambda: 1e-3, None))
    assert STEP / 2 < max(taken) <= most * (1 + SLIVER)


@members
def test_a_fixed_step_is_that_of_the_deck(name):
    controller = made(name)
    if not controller.fixed:
        pytest.skip("its steps change")
    taken, rejected = march(controller, Clock(0.0, 30 * STEP), errors())
    assert taken == pytest.approx([STEP] * 30) and rejected == 0


@members
def test_counts_what_it_rejects(name):
    controller = made(name)
    _, rejected = march(controller, Clock(0.0, SPAN), errors())
    assert controller.rejected == rejected


@members
@pytest.mark.parametrize("failures", [0, 2])
def test_memory_survives_a_restart(name, failures):
    """State and restore continue with the same steps; such estimates may make these ever shorter."""
    controller, clock = made(name), Clock(0.0, SPAN)
    march(controller, clock, errors(), steps=5)
    for _ in range(failures if shortens(name) else 0):
        controller.failed(controller.propose(clock, None, lambda: 0.2), SolveError("no convergence"))
    again, clock_again = made(name), Clock(0.0, SPAN)
    again.restore(controller.state())
    clock_again.restore(clock.state())
    assert again.state() == controller.state() and again.rejected == controller.rejected
    one, two = (march(c, t, errors(), steps=200) for c, t in ((again, clock_again), (controller, clock)))
    assert one == two and again.state() == controller.state()


def shortens(name):
    """Return whether a controller repeats failed steps."""
    try:
        made(name).failed(STEP, SolveError("no convergence"))
    except SolveError:
        return False
    return True


@members
def test_a_failed_step_becomes_shorter_or_ends_the_run(name):
    """Shorter and shorter until it raises, with the failure's own words."""
    controller, clock, last = made(name), Clock(0.0, SPAN), float("inf")
    with pytest.raises(SolveError, match="no convergence"):
        for _ in range(200):
            dt = controller.propose(clock, None, lambda: 0.2)
            assert 0 < dt < last
            last = dt
            controller.failed(dt, SolveError("no convergence"))
    assert shortens(name) == (controller.rejected > 0)
