"""Methods on problems whose minimum is known: linear, curved, with bounds; and what data leave open."""

import numpy as np
import pytest

from plexus.calibration.methods import minimised
from plexus.calibration.objective import Ends, Objective
from plexus.calibration.statistics import statistics
from plexus.solvers.gram import Gram

METHODS = ["gauss_newton", "lbfgs", "tao"]


class Linear:
    """r = A m - d."""

    def __init__(self, a, d):
        self.a, self.d = a, d

    def residuals(self, m):
        return self.a @ m - self.d

    def pulled(self, m, w):
        return self.a.T @ w

    def jacobian(self, m):
        return self.a


class Rosenbrock:
    """r = (10 (m_1 - m_0²), 1 - m_0): a curved valley, its minimum 0 at (1, 1)."""

    def residuals(self, m):
        return np.array([10 * (m[1] - m[0] ** 2), 1 - m[0]])

    def jacobian(self, m):
        return np.array([[-20 * m[0], 10.0], [-1.0, 0.0]])

    def pulled(self, m, w):
        return self.jacobian(m).T @ w


def objective(misfit, n, prior=None, low=-np.inf, high=np.inf):
    every = np.ones(n)
    prior = np.zeros((n, n)) if prior is None else prior
    zero = Gram(n, np.arange(n), np.arange(n), np.zeros(n))
    return Objective(
        misfit,
        zero.plus(Gram.of(prior), 1.0) if prior.any() else zero,
        0 * every,
        low * every,
        high * every,
        every,
    )


def found(method, problem, start, iterations=300):
    told = []
    result = minimised(method, problem, start, Ends(iterations, 1e-14), lambda *row: told.append(row))
    assert len(told) == len(result.history) and told[0][0] == 0
    return result


@pytest.mark.parametrize("method", METHODS)
def test_a_linear_problem_with_a_prior(method):
    rng = np.random.default_rng(3)
    a, d = rng.normal(size=(6, 9)), rng.normal(size=6)
    root = rng.normal(size=(9, 9))
    prior = root @ root.T + np.eye(9)
    expected = np.linalg.solve(a.T @ a + prior, a.T @ d)
    result = found(method, objective(Linear(a, d), 9, prior), np.zeros(9))
    assert result.converged
    np.testing.assert_allclose(result.m, expected, atol=1e-5)
    assert all(b[0] <= a[0] * (1 + 1e-12) for a, b in zip(result.history, result.history[1:], strict=False))


@pytest.mark.parametrize("method", METHODS)
def test_a_curved_valley(method):
    result = found(method, objective(Rosenbrock(), 2), np.array([-1.2, 1.0]))
    np.testing.assert_allclose(result.m, [1.0, 1.0], atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_bounds_hold_and_the_rest_is_at_its_best(method):
    """With m_1 <= 0.5 the minimum of the valley is at m_1 = 0.5, and there 200 m_0 (m_0² - 0.5) = 1 - m_0."""
    problem = objective(Rosenbrock(), 2, high=np.array([np.inf, 0.5]))
    result = found(method, problem, np.array([-0.5, 0.2]))
    assert (result.m <= problem.high).all()
    roots = np.roots([200.0, 0.0, -99.0, -1.0])
    best = min(roots.real[abs(roots.imag) < 1e-12], key=lambda x: (1 - x) ** 2 + 100 * (0.5 - x * x) ** 2)
    np.testing.assert_allclose(result.m, [best, 0.5], atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_too_few_iterations_are_told(method):
    result = found(method, objective(Rosenbrock(), 2), np.array([-1.2, 1.0]), iterations=2)
    assert not result.converged and result.reason


def test_standard_deviations_are_those_of_the_gaussian():
    """The covariance of a linear problem, and λ of JᵀJ v = λ R v, by their definitions."""
    rng = np.random.default_rng(7)
    a, d = rng.normal(size=(4, 6)), rng.normal(size=4)
    root = rng.normal(size=(6, 6))
    prior = root @ root.T + 0.5 * np.eye(6)
    problem = objective(Linear(a, d), 6, prior)
    m = np.linalg.solve(a.T @ a + prior, a.T @ d)
    known = statistics(problem, m, a)
    np.testing.assert_allclose(known.std, np.sqrt(np.diag(np.linalg.inv(a.T @ a + prior))))
    np.testing.assert_allclose(known.before, np.sqrt(np.diag(np.linalg.inv(prior))))
    sums = rng.normal(size=(5, 6))
    covariance = sums @ np.linalg.inv(a.T @ a + prior) @ sums.T
    np.testing.assert_allclose(known.after.of(sums), np.sqrt(np.diag(covariance)))
    expected = np.sort(np.linalg.eigvals(np.linalg.solve(prior, a.T @ a)).real)[::-1]
    np.testing.assert_allclose(known.spectrum, expected, atol=1e-10)
    for value, v in zip(known.spectrum, known.directions.T, strict=True):
        np.testing.assert_allclose(a.T @ (a @ v), value * prior @ v, atol=1e-9)
    assert known.seen == pytest.approx(np.trace(np.linalg.solve(a.T @ a + prior, a.T @ a)))
    assert ((known.share > 0) & (known.share < 1)).all()


def test_what_no_data_tell_has_no_bound_and_what_is_held_has_no_deviation():
    a = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 2.0]])
    problem = objective(Linear(a, np.array([1.0, -4.0])), 3, low=np.array([-np.inf, -np.inf, 0.0]))
    known = statistics(problem, np.array([0.5, 0.5, 0.0]), a)
    assert np.isinf(known.std[:2]).all()  # only their sum is measured
    sums = np.array([[1.0, 1.0, 5.0], [1.0, -1.0, 0.0]])
    assert known.after.of(sums) == pytest.approx([1.0, np.inf])
    assert known.held.tolist() == [False, False, True] and known.std[2] == 0
    assert known.spectrum == pytest.approx([2.0, 0.0])


def test_gram_joins_blocks_and_solves():
    a = Gram.of(np.array([[2.0, 1.0], [1.0, 2.0]]))
    both = Gram.joined([a, Gram.of(np.array([[4.0]]))])
    expected = np.array([[2, 1, 0], [1, 2, 0], [0, 0, 4.0]])
    np.testing.assert_allclose(both.dense(), expected)
    v = np.array([1.0, -2.0, 3.0])
    np.testing.assert_allclose(both.times(v), expected @ v)
    np.testing.assert_allclose(both.solve(expected @ v), v)
    np.testing.assert_allclose(both.plus(both, -0.5).dense(), expected / 2)
