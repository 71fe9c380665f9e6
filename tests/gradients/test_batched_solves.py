"""Batched solves: each sample as if alone, implicit gradients in Taylor form, failures masked and counted."""

import numpy as np
import pytest
import torch
from taylor import gradients, pulled_and_pushed, slope
from torch.func import vmap

from plexus.bench.memory import peak
from plexus.solvers.adjoint.node import solution
from plexus.solvers.batched.base import solved
from plexus.solvers.batched.cg import SelfAdjoint
from plexus.solvers.batched.levenberg import LeastSquares, levenberg
from plexus.solvers.batched.lu import Linear
from plexus.solvers.batched.newton import Roots
from plexus.solvers.batched.pointwise import Pointwise

TWO = pytest.approx(2.0, abs=0.1)
TIMES = torch.linspace(0, 1, 12, dtype=torch.float64)


def draws(*shape, seed=1):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def bent(u, a, b):
    """One root: u + a u³ = b, coupled."""
    return u + a**2 * u**3 + 0.1 * torch.roll(u, 1) - b


def plain(u, a, b):
    """Linear in u."""
    return 2 * u + torch.outer(a, b).sin() @ u / 4 - b


def stiff(x, a):
    """A symmetric, positive definite operator on fields (M, k)."""
    return x * (1 + a**2) + 2 * x - torch.roll(x, 1, -1) - torch.roll(x, -1, -1)


def decay(u, y, rate):
    """The residual of a fit of u0 exp(-rate u1 t) to y."""
    return u[0] * torch.exp(-rate * u[1] * TIMES) - y


def data(level, members=4):
    """Return measured decays (M, 12) whose residual is a part ``level`` of them."""
    true = torch.stack([1 + 0.2 * draws(members, seed=2), 1.5 + 0.2 * draws(members, seed=3)], -1)
    y = vmap(lambda u: decay(u, 0 * TIMES, 1.0))(true)
    return y + level * y.norm(dim=-1, keepdim=True) * torch.sin(9 * TIMES) / torch.sin(9 * TIMES).norm()


def weighed(u):
    """A function of solutions that none of their symmetries leaves alone."""
    return (u * (1 + torch.arange(u.shape[-1]))).square().sum() + u.sin().sum()


def through(problem, guess):
    return lambda *theta: weighed(solution(problem, guess, *theta))


def cases():
    a, b = draws(3, 5, seed=4), draws(3, 5, seed=5)
    fit = LeastSquares(decay, (0, None), tolerance=1e-13)
    start = torch.ones(4, 2, dtype=torch.float64)
    return {
        "newton": (Roots(bent, (0, 0)), 0 * b, (a, b)),
        "newton, shared": (Roots(bent, (None, 0)), 0 * b, (a[0], b)),
        "lu": (Linear(plain, (0, 0)), 0 * b, (a, b)),
        "cg": (SelfAdjoint(stiff, tolerance=1e-14), 0 * b, (b, a)),
        "levenberg": (fit, start, (data(0.08), torch.ones((), dtype=torch.float64))),
    }


@pytest.mark.parametrize("name", cases())
def test_gradients_in_taylor_form(name):
    problem, guess, theta = cases()[name]
    assert slope(through(problem, guess), theta) == TWO
    assert (problem.tally.failed, problem.tally.singular) == (0, 0)


@pytest.mark.parametrize("name", cases())
def test_tangents_are_adjoint_to_gradients(name):
    problem, guess, theta = cases()[name]
    pulled, pushed = pulled_and_pushed(lambda *theta: solution(problem, guess, *theta), theta)
    assert pushed == pytest.approx(pulled, rel=1e-11) and abs(pulled) > 1e-3


def test_second_derivatives_are_refused():
    problem, guess, theta = cases()["newton"]
    a = theta[0].clone().requires_grad_()
    (slope,) = torch.autograd.grad(through(problem, guess)(a, theta[1]), a, create_graph=True)
    with pytest.raises(RuntimeError, match="solves have first derivatives only"):
        torch.autograd.grad(slope.sum(), a)


@pytest.mark.parametrize("level", [0.0, 0.007, 0.08, 0.1])
def test_full_hessian_is_right_at_every_residual(level):
    """C1.1; the gradient with JᵀJ alone is measurably wrong where there is a residual."""
    start, theta = torch.ones(4, 2, dtype=torch.float64), (data(level), torch.ones((), dtype=torch.float64))
    full = through(LeastSquares(decay, (0, None), tolerance=1e-13), start)
    assert slope(full, theta) == TWO
    gauss = LeastSquares(decay, (0, None), tolerance=1e-13, curvature=False)
    pair = (full, through(gauss, start))
    right, wrong = (torch.cat([g.flatten() for g in gradients(f, theta)]) for f in pair)
    apart = float((right - wrong).norm() / right.norm())
    assert apart > 0.01 if level >= 0.08 else apart < 0.01
    assert level > 0 or apart < 1e-9


def test_linear_least_squares_takes_few_iterations_and_a_squared_residual_many():
    """C1.3: nobody may square the residual again."""
    matrix, true = draws(8, 30, 5, seed=6), draws(8, 5, seed=7)

    def plainly(u, a, x):
        return a @ (u - x)

    start = torch.zeros(8, 5, dtype=torch.float64)
    iterations = []
    for f in (plainly, lambda *args: plainly(*args) ** 2):
        problem, limits = LeastSquares(f, (0, 0), tolerance=1e-30), iter(range(60))
        open_ = torch.ones(8, dtype=torch.bool)
        while bool(open_.any()):
            problem.limit = next(limits)
            error = (problem.iterate(start, (matrix, true)).u - true).norm(dim=-1) / true.norm(dim=-1)
            open_ &= error > 1e-8
        iterations.append(problem.limit)
    assert iterations[0] <= 4
    assert iterations[1] >= 4 * iterations[0]


def many(name):
    """Return a problem, and guess and θ of 16 samples that take different numbers of iterations."""
    size = 10 ** torch.linspace(-2, 2, 16, dtype=torch.float64)[:, None]
    a, b = draws(16, 5, seed=8), draws(16, 5, seed=9) * size
    if name == "levenberg":
        y = data(0.05, 16)
        return LeastSquares(decay, (0, None)), torch.ones(16, 2).double(), (y, torch.ones(()).double())
    made = {"newton": Roots(bent, (0, 0)), "lu": Linear(plain, (0, 0)), "cg": SelfAdjoint(stiff)}[name]
    return made, 0 * b, (b, a * size) if name == "cg" else (a, b)


@pytest.mark.parametrize("name", ["newton", "lu", "cg", "levenberg"])
def test_a_batch_is_its_samples_one_by_one(name):
    """C1.4: equal to 1e-10, permuted with the batch, values and gradients."""
    problem, guess, theta = many(name)

    def solve(rows):
        own = [t[rows] if t.ndim else t for t in theta]
        loss = through(problem, guess[rows])
        return problem.solve(own, guess[rows]), gradients(loss, own)[0]

    u, g = solve(torch.arange(16))
    assert bool(solved(u).all())
    singly = [solve(torch.tensor([m])) for m in range(16)]
    for whole, parts in zip((u, g), zip(*singly, strict=True), strict=True):
        torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-10, atol=1e-12)
    order = torch.randperm(16, generator=torch.Generator().manual_seed(1))
    for whole, permuted in zip((u, g), solve(order), strict=True):
        torch.testing.assert_close(permuted, whole[order], rtol=1e-10, atol=1e-12)


def without_root(u, a):
    return u**2 + a


@pytest.mark.parametrize("shared", [False, True])
def test_samples_that_fail_are_told_and_have_no_part_in_a_gradient(shared):
    a = torch.tensor([[-4.0], [1.0], [-9.0]], dtype=torch.float64)
    rate = torch.ones(1, dtype=torch.float64, requires_grad=True)
    leaf = a.clone().requires_grad_()
    problem = Roots(lambda u, a, r: without_root(u, a * r), (0, None))
    u = solution(problem, torch.ones_like(a), leaf, rate)
    assert solved(u).tolist() == [True, False, True]
    assert problem.tally.failed == 1
    assert torch.isnan(u.sum()), "a loss that forgets the failed sample is no number"
    good = solved(u)
    # a loss that masks afterwards sends NaN back into the failed sample
    loss = u[good].sum() if not shared else torch.where(good[:, None], u, 0.0).sum()
    found = torch.autograd.grad(loss, (leaf, rate))
    torch.testing.assert_close(found[0][good], -1 / (2 * u.detach()[good]))
    torch.testing.assert_close(found[1], (2.0 + 3.0) / 2 * torch.ones(1).double())


def test_a_singular_adjoint_is_counted_and_left_out():
    problem = Roots(lambda u, a: u**2 - a, (0,))
    a = torch.tensor([[0.0], [4.0]], dtype=torch.float64, requires_grad=True)
    u = solution(problem, torch.tensor([[0.0], [1.0]]).double(), a)
    # Newton cannot tell a double root from a singular matrix
    assert solved(u).tolist() == [False, True]
    linear = Linear(lambda u, a: torch.stack([a[0] * u[0] - a[0], u[1] - a[1]]), (0,))
    theta = torch.tensor([[1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    lam = linear.adjoint(torch.ones(2, 2).double(), [theta], theta + 1)
    assert linear.tally.singular == 1
    assert lam.tolist() == [[2.0, 2.0], [0.0, 0.0]]


def test_cg_tells_an_operator_that_is_not_positive():
    a = torch.tensor([[1.0, 2.0], [1.0, -2.0]], dtype=torch.float64)
    problem = SelfAdjoint(lambda x, a: a * x)
    x = problem.solve([torch.ones(2, 2).double(), a], torch.zeros(2, 2).double())
    assert solved(x).tolist() == [True, False]


class Stopped(LeastSquares):
    """Gradient descent that is stopped early, with the implicit gradient of the least squares problem."""

    def solve(self, theta, guess):
        u = guess
        for _ in range(self.limit):
            u = descended(u, theta[0])
        return u


FEATURES, TARGETS = draws(40, 6, seed=10), draws(40, seed=11)
LENGTH = 1 / (torch.linalg.matrix_norm(FEATURES, 2) ** 2 + 1)


def ridge(u, weight):
    return torch.cat([FEATURES @ u - TARGETS, weight.sqrt() * u])


def descended(u, weight):
    """One step of gradient descent on ridge regression, (1, n)."""
    return u - LENGTH * ((u @ FEATURES.T - TARGETS) @ FEATURES + weight * u)


def test_implicit_gradients_beat_unrolled_ones_of_ridge_regression():
    """C1.2: the error of the Jacobian is proportional to that of the iterate, below that of unrolling."""
    weight = torch.tensor(1.0, dtype=torch.float64)
    matrix = FEATURES.T @ FEATURES + weight * torch.eye(6)
    true = torch.linalg.solve(matrix, FEATURES.T @ TARGETS)
    slope_of_true = -torch.linalg.solve(matrix, true)
    errors = []
    for count in (5, 10, 20, 40, 80):
        start = torch.zeros(1, 6, dtype=torch.float64)
        problem = Stopped(ridge, (None,), limit=count)

        def implicit(w, problem=problem, start=start):
            return solution(problem, start, w)[0]

        def unrolled(w, problem=problem, start=start):
            return problem.solve([w], start)[0]

        u = unrolled(weight)
        found = [torch.autograd.functional.jacobian(f, weight) for f in (implicit, unrolled)]
        errors.append([float((x - y).norm()) for x, y in ((u, true), *((j, slope_of_true) for j in found))])
    iterate, by_theorem, by_unrolling = np.array(errors).T
    assert np.polyfit(np.log(iterate), np.log(by_theorem), 1)[0] == pytest.approx(1.0, abs=0.1)
    assert (by_theorem <= by_unrolling).all()


def slow(u, y, rate):
    """A squared residual, whose error only halves with each iteration."""
    return decay(u, y, rate) ** 2


class Going(LeastSquares):
    """Takes all the iterations that it may, and is content."""

    def iterate(self, guess, theta):
        outcome = super().iterate(guess, theta)
        return outcome._replace(failed=torch.zeros_like(outcome.failed))


def test_memory_does_not_grow_with_the_iterations():
    """C1.5: forward and backward with 50 iterations and with 5."""

    def work(limit):
        problem, y = Going(slow, (0, None), tolerance=0.0, limit=limit), data(0.05, 200).requires_grad_()
        solution(problem, torch.ones(200, 2).double(), y, torch.ones(()).double()).sum().backward()
        return problem.tally.longest

    counts = []
    few, more = (peak(lambda limit=limit: counts.append(work(limit))) for limit in (5, 50))
    assert counts == [5, 50]
    assert 1e5 < more <= 1.1 * few


def test_levenberg_starts_anywhere_and_stops_at_rounding():
    """At a solution nothing is left to do, and no tolerance is below what the numbers hold."""
    target = draws(3, 4, seed=12)

    def system(u, items):
        return u - target[items], torch.eye(4).double().expand(len(u), 4, 4)

    done = levenberg(system, target.clone())
    assert int(done.iterations.max()) == 0
    assert not done.failed.any()
    assert not levenberg(system, 0 * target, tolerance=0.0).failed.any()


def test_samples_that_are_there_are_not_asked_for_again():
    problem, start, theta = many("levenberg")
    asked = []

    class Counted(LeastSquares):
        def values(self, u, theta):
            asked.append(len(u))
            return super().values(u, theta)

    found = Counted(problem.equations, problem.axes).iterate(start, theta)
    assert asked == sorted(asked, reverse=True) and asked[-1] < 16
    # the start, and each iteration
    assert sum(asked) == 16 + int(found.iterations.sum())


@pytest.mark.parametrize("apart", [0.0, 1e-10, 1e-6, 1e-3])
def test_columns_that_are_nearly_the_same_harm_neither_solution_nor_gradient(apart):
    """A basis of rank n - 1 in units far apart: what it cannot tell stays as it was guessed."""
    basis = draws(1, 40, 5, seed=13)
    basis[..., 4] = basis[..., 3] + apart * basis[..., 4]
    basis = basis * 10.0 ** torch.arange(-6, 4, 2)
    y = draws(1, 40, seed=14)
    problem = LeastSquares(lambda u, a, y: a @ u - y, (0, 0))

    def fitted(y):
        return (basis @ solution(problem, torch.zeros(1, 5).double(), basis, y)[..., None]).squeeze(-1)

    q = torch.linalg.qr(basis[..., :4] if apart < 1e-8 else basis)[0]
    torch.testing.assert_close(fitted(y), (q @ (q.mT @ y[..., None])).squeeze(-1), rtol=1e-7, atol=1e-7)
    assert slope(lambda y: weighed(fitted(y)), [y]) == TWO
    assert (problem.tally.failed, problem.tally.singular) == (0, 0)


def test_what_no_row_sees_keeps_its_guess_and_has_no_part_in_a_gradient():
    problem = LeastSquares(lambda u, y: torch.stack([u[0] - y[0], 2 * u[0] + y[1], y[0] * y[1]]), (0,))
    y = torch.tensor([[1.0, 3.0]], dtype=torch.float64, requires_grad=True)
    u = solution(problem, torch.tensor([[0.0, 7.0]]).double(), y)
    torch.testing.assert_close(u.detach(), torch.tensor([[-1.0, 7.0]]).double())
    (slopes,) = torch.autograd.grad(u.sum(), y)
    torch.testing.assert_close(slopes, torch.tensor([[0.2, -0.4]]).double())
    assert problem.tally.singular == 0


def test_pointwise_residuals_have_the_derivatives_of_any_others():
    """Jacobian, Hessian and gradient by the chain rule are those by differentiation of the whole."""

    def law(q):
        return q[:, 0].exp() * q[:, 1] - q[:, 2].square()

    theta = (
        draws(3, 3, 20, 4, seed=15),
        draws(3, 3, 20, seed=16),
        draws(3, 2, 4, seed=17),
        draws(3, 2, seed=18),
    )

    def whole(u, a, known, conditions, right):
        q = known + torch.einsum("drn,n->dr", a, u)
        return torch.cat([law(q[None])[0], conditions @ u + right])

    short, long = Pointwise(law), LeastSquares(whole, (0, 0, 0, 0))
    u, lam = 0.3 * draws(3, 4, seed=19), draws(3, 4, seed=20)
    torch.testing.assert_close(short.values(u, theta), long.values(u, theta))
    torch.testing.assert_close(short.jacobian(u, theta), long.jacobian(u, theta))
    torch.testing.assert_close(short.matrix(u, theta), long.matrix(u, theta))
    pairs = [gradients(lambda *t, p=p: p.product(u, t, lam).sum(), theta) for p in (short, long)]
    for one, other in zip(*pairs, strict=True):
        torch.testing.assert_close(one, other)


def test_a_sample_without_numbers_fails_alone():
    problem, start, theta = many("levenberg")
    y = theta[0].clone()
    y[3] = torch.nan
    outcome = problem.iterate(start, (y, theta[1]))
    assert outcome.failed.nonzero().tolist() == [[3]]
    rest = torch.arange(16) != 3
    torch.testing.assert_close(outcome.u[rest], problem.iterate(start, theta).u[rest])
