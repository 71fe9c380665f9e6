"""Optimisers find minima that are known, at the orders that they promise, and go on where they stopped."""

import itertools
import math

import pytest
import torch
from objectives import Function, descended, exponentials, made, powell, rosenbrock, stiff

from plexus import registry
from plexus.errors import GuardError
from plexus.learning.optimizers import _wolfe
from plexus.learning.optimizers.ssbroyden import scaled, updated

PROBLEMS = [
    (rosenbrock, [-1.2, 1.0], [1, 1]),
    (rosenbrock, [-1.2, 1.0] * 5, [1] * 10),
    (exponentials, [1.5, 0.5, 0.2, 2.0], [1, 1, 0.5, 4]),
    (stiff, [0.0, 3.0] * 5, [1] * 10),
]
SECOND = ["lbfgs", "levenberg_marquardt", "ssbroyden"]
OF_RATES = ["adam", "adamw"]


@pytest.mark.parametrize("name", SECOND)
@pytest.mark.parametrize(("residuals", "start", "minimum"), PROBLEMS)
def test_second_order_methods_find_minima(name, residuals, start, minimum):
    function = Function(residuals, start)
    descended(name, function, 100)
    assert function.x.detach().tolist() == pytest.approx(minimum, abs=2e-4)


@pytest.mark.parametrize("name", OF_RATES)
def test_first_order_methods_come_near(name):
    function = Function(rosenbrock, [-1.2, 1.0])
    more = {"decay": 0} if name == "adamw" else {}
    descended(name, function, 3000, rate=0.05, final_rate=1e-3, **more)
    assert function.x.detach().tolist() == pytest.approx([1, 1], abs=0.05)


def test_decay_is_that_of_the_formula():
    """Without gradient x ← (1 - r w) x."""
    function = Function(lambda x: 0 * x, [2.0])
    descended("adamw", function, 3, rate=0.1, schedule="constant", decay=0.5)
    assert float(function.x.detach()) == pytest.approx(2 * 0.95**3, rel=1e-12)


def test_every_optimizer_is_tested():
    assert {*SECOND, *OF_RATES} == set(registry.names("optimizer"))


@pytest.mark.parametrize(
    ("residuals", "start"), [(rosenbrock, [0.5, 0.5]), (exponentials, [1.2, 0.9, 0.4, 3.5])]
)
def test_levenberg_marquardt_converges_quadratically(residuals, start):
    """The error after a step is at most a number times the square of that before, until rounding."""
    function, found = Function(residuals, start), []
    optimizer = made("levenberg_marquardt", function, damping=1e-6, tolerance=0)
    for step in range(12):
        optimizer.step(function, step, 12)
        found.append(float(residuals(function.x.detach()).norm()))
    close = [(a, b) for a, b in itertools.pairwise(found) if 1e-9 < a < 1e-1]
    assert len(close) >= 2 and all(b <= 100 * a * a for a, b in close), found


def test_levenberg_marquardt_is_a_gauss_newton_step_where_nothing_holds_it_back():
    function = Function(lambda x: torch.stack([2 * x[0] - 6, x[1] + x[0]]), [0.0, 0.0])
    made("levenberg_marquardt", function, damping=1e-12).step(function, 0, 1)
    assert function.x.detach().tolist() == pytest.approx([3, -3], rel=1e-9)


def test_self_scaled_broyden_needs_fewer_evaluations_than_lbfgs():
    """Where the Hessian is singular at the minimum, and where its condition is 1e8."""
    for residuals, start, level in ((powell, [3.0, -1, 0, 1], 1e-10), (stiff, [0.0, 3.0] * 10, 1e-10)):
        counts = {}
        for name in ("lbfgs", "ssbroyden"):
            function = Function(residuals, start)
            descended(name, function, 100, iterations=50)
            counts[name] = function.evaluations(level)
        assert counts["ssbroyden"] <= counts["lbfgs"], counts


@pytest.mark.parametrize("n", [2, 7])
def test_an_update_fulfils_the_secant_equation_and_stays_positive(n):
    generator = torch.Generator().manual_seed(n)
    for _ in range(20):
        root, s, y = (torch.randn(*shape, generator=generator, dtype=torch.float64)
                      for shape in ((n, n), (n,), (n,)))  # fmt: skip
        if float(s @ y) < 0:
            y = -y
        inverse = root @ root.T + 0.1 * torch.eye(n)
        found = updated(inverse, s, y, float(s @ torch.linalg.solve(inverse, s)))
        assert torch.allclose(found @ y, s, atol=1e-9)
        assert float(torch.linalg.eigvalsh((found + found.T) / 2)[0]) > 0


def test_an_update_of_the_right_matrix_keeps_it():
    """y = B s with H = B⁻¹: b = h = 1, a = 0, nothing is scaled."""
    assert scaled(1.0, 1.0, 5) == pytest.approx((1, 1))
    root = torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    b = root @ root.T + torch.eye(4)
    s = torch.tensor([1.0, -2, 0.5, 3], dtype=torch.float64)
    assert torch.allclose(updated(b.inverse(), s, b @ s, float(s @ b @ s)), b.inverse(), atol=1e-12)


@pytest.mark.parametrize(("value", "slope", "first"), [
    (lambda t: (t - 3) ** 2, lambda t: 2 * (t - 3), 1.0),
    (lambda t: -t / (t * t + 2), lambda t: (t * t - 2) / (t * t + 2) ** 2, 1e-3),
    (lambda t: math.exp(t) - 5 * t, lambda t: math.exp(t) - 5, 50.0),
])  # fmt: skip
def test_the_search_fulfils_the_strong_wolfe_conditions(value, slope, first):
    start = _wolfe.Trial(0.0, value(0), slope(0), torch.zeros(1))
    found = _wolfe.search(lambda t: _wolfe.Trial(t, value(t), slope(t), torch.zeros(1)), start, first)
    assert found.value <= start.value + _wolfe.C1 * found.t * start.slope
    assert abs(found.slope) <= _wolfe.C2 * abs(start.slope)


@pytest.mark.parametrize("name", registry.names("optimizer"))
def test_memory_is_all_that_a_restart_needs(name):
    """Stopped after every step: the same numbers to the last bit."""
    more = {"iterations": 3} if name in ("lbfgs", "ssbroyden") else {}
    whole = Function(rosenbrock, [-1.2, 1.0, 0.7, 2.0])
    optimizer = made(name, whole, **more)
    losses = [optimizer.step(whole, step, 9) for step in range(6)]
    function, memory, again = Function(rosenbrock, whole.x.detach().tolist()), {}, []
    function.x.data = torch.tensor([-1.2, 1.0, 0.7, 2.0], dtype=torch.float64)
    for step in range(6):
        resumed = made(name, function, **more)
        resumed.restore({k: v.clone() for k, v in memory.items()})
        again.append(resumed.step(function, step, 9))
        memory = resumed.memory()
    assert again == losses and torch.equal(function.x, whole.x)


@pytest.mark.parametrize("name", registry.names("optimizer"))
def test_numbers_that_are_none_end_it(name):
    function = Function(lambda x: x * math.nan, [1.0])
    with pytest.raises(GuardError, match="not finite"):
        descended(name, function, 1)


def test_a_step_into_the_void_is_shortened():
    """log(x) is no number behind 0."""
    function = Function(lambda x: torch.cat([10 * torch.log(x), x - 0.05]), [0.1])
    descended("ssbroyden", function, 20)
    low, high = 0.5, 1.5
    for _ in range(60):  # (200 log x)/x + 2 (x - 0.05) = 0 by bisection
        x = (low + high) / 2
        low, high = (x, high) if 200 * math.log(x) / x + 2 * (x - 0.05) < 0 else (low, x)
    assert float(function.x.detach()) == pytest.approx(low, rel=1e-6)


RATES = {
    "constant": (1.0, 1.0, 1.0),
    "cosine": (1.0, 0.505, 0.01),
    "exponential": (1.0, 0.1, 0.01),
    "one_cycle": (0.04, 0.505 + 0.495 * math.cos(math.pi * 2 / 7), 0.01),
}


@pytest.mark.parametrize("name", registry.names("schedule"))
def test_schedules_begin_and_end_where_they_say(name):
    member = registry.component("schedule", name)
    schedule = member.cls(member.params())
    assert [schedule.rate(s, 1.0, 0.01) for s in (0, 0.5, 1)] == pytest.approx(RATES[name])


@pytest.mark.parametrize("name", registry.names("schedule"))
def test_rates_stay_between_their_ends(name):
    member = registry.component("schedule", name)
    schedule = member.cls(member.params())
    rates = [schedule.rate(n / 100, 0.3, 1e-4) for n in range(101)]
    assert min(rates) >= 1e-4 and max(rates) <= 0.3 * (1 + 1e-12)
