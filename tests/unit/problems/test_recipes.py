"""Families of linear systems are those of the reference: sizes, iteration counts, statistics, bounds."""

import numpy as np
import pytest
from whole_systems import count, dense, problem, whole

from plexus import registry
from plexus.problems._gaussian import COVARIANCES, field, spectrum
from plexus.problems._slabs import cuts
from plexus.problems.condiff import BOUNDS

CUBE = [32, 32, 32]
GRIDS = [name for name in registry.names("problem") if name not in ("file", "tetrahedra")]


def example(name):
    import sys

    module = sys.modules[registry.component("problem", name).cls.__module__]
    return {k: v for k, v in module.EXAMPLE.items() if k != "type"}


@pytest.mark.parametrize(
    ("name", "given", "rows", "cg", "icc", "multigrid"),
    [
        ("plume", {"layout": "empty"}, 32_768, 138, 57, 4),
        ("plume", {"layout": "many"}, 31_809, 210, 68, 4),
        ("plates", {"rhs": "plume"}, 27_392, 319, 101, 4),
    ],
    ids=["empty", "many", "plates"],
)
def test_smoke_takes_the_iterations_of_the_reference(name, given, rows, cg, icc, multigrid):
    layout, system = whole(problem(name, cells=CUBE, **given))
    assert layout.n_global == rows
    assert abs(count(system, "none") - cg) <= 1
    assert abs(count(system, "icc") - icc) <= 1
    assert abs(count(system, "hypre") - multigrid) <= 1


@pytest.mark.parametrize(("contrast", "icc"), [(1e3, 222), (1e6, 631)])
def test_channels_are_as_hard_as_those_of_the_reference(contrast, icc):
    _, system = whole(problem("channels", cells=CUBE, seed=3, number=25, contrast=contrast))
    assert abs(count(system, "icc") / icc - 1) < 0.06
    assert abs(count(system, "hypre") - 7) <= 1


def test_seeds_of_channels_choose_contrast_and_number():
    k = [problem("channels", cells=[16] * 3, seed=seed).coefficient() for seed in (2000, 2000, 2001)]
    assert (k[0] == k[1]).all() and (k[0] != k[2]).any()
    draw = np.random.default_rng(2001)
    assert k[2].max() == 10 ** draw.uniform(2, 7) and k[2].min() == 1.0


@pytest.mark.parametrize(("variance", "icc", "multigrid"), [(2, 69, 5), (6, 128, 6)])
def test_random_media_are_as_hard_as_those_of_the_reference(variance, icc, multigrid):
    _, system = whole(problem("lognormal", cells=CUBE, seed=0, length=0.05, variance=variance))
    assert abs(count(system, "icc") / icc - 1) < 0.15
    assert abs(count(system, "hypre") - multigrid) <= 1


@pytest.mark.parametrize(
    ("covariance", "icc"),
    [("cubic", (57, 99)), ("exponential", (56, 85)), ("gaussian", (56, 96))],
)
def test_condiff_is_as_hard_as_the_published_sets(covariance, icc):
    """Means of the incomplete Cholesky factorisation over 5 samples, within 15 per cent of the reference."""
    for variance, expected in zip((0.1, 2.0), icc, strict=True):
        given = {"cells": [64, 64], "covariance": covariance, "variance": variance}
        systems = [whole(problem("condiff", seed=seed, **given))[1] for seed in range(5)]
        assert abs(np.mean([count(s, "icc") for s in systems]) / expected - 1) < 0.15


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_condiff_is_a_sum_over_edges(covariance):
    """An assembly of its own, edge by edge, gives the same matrix."""
    made = problem("condiff", cells=[8, 8], covariance=covariance, variance=2, contrast=[1, 1e9], seed=7)
    _, system = whole(made)
    k, n = made.draw()[0], 8
    expected = np.zeros((n * n, n * n))
    for i in range(1, n + 1):
        for j in range(1, n + 1):
            p = (i - 1) * n + j - 1
            sides = [
                (i + 1, j, k[i, j - 1], k[i, j]),
                (i - 1, j, k[i - 1, j - 1], k[i - 1, j]),
                (i, j + 1, k[i - 1, j], k[i, j]),
                (i, j - 1, k[i - 1, j - 1], k[i, j - 1]),
            ]
            expected[p, p] = (n + 1) ** 2 * (k[i - 1, j - 1] + k[i - 1, j] + k[i, j - 1] + k[i, j])
            for a, b, one, other in sides:
                if 1 <= a <= n and 1 <= b <= n:
                    expected[p, (a - 1) * n + b - 1] = -((n + 1) ** 2) * (one + other) / 2
    found = dense(system)
    assert abs(found - expected).max() <= 1e-14 * abs(expected).max()
    assert (found == found.T).all() and np.linalg.eigvalsh(found)[0] > 0


@pytest.mark.parametrize("variance", BOUNDS)
def test_condiff_keeps_its_bounds(variance):
    low, high = BOUNDS[variance]
    for seed in range(3):
        k = problem("condiff", cells=[32, 32], variance=variance, covariance="cubic", seed=seed).draw()[0]
        assert low <= k.max() / k.min() <= high


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_fields_have_their_covariance(covariance):
    """Within 4 standard errors at lags of 0 to 5 cells, over 300 fields."""
    n, length = 64, 0.05
    draw, lines = np.random.default_rng(1), spectrum((n, n), length, covariance, images=True)
    fields = np.stack([field(draw, lines) for _ in range(300)])
    for lag in range(6):
        products = (fields[:, : n - lag] * fields[:, lag:]).mean(axis=(1, 2))
        error = products.std() / len(products) ** 0.5
        assert abs(products.mean() - COVARIANCES[covariance](np.array(lag / n / length))) < 4 * error


@pytest.mark.parametrize("seed", [201, 202, 203, 301])
def test_fluid_of_random_obstacles_reaches_the_top(seed):
    made = problem("obstacles", cells=[16] * 3, layout="random", seed=seed)
    fluid = ~made.solid(0.0)
    assert 0.5 * fluid.size < fluid.sum() < fluid.size
    reached = np.zeros(fluid.shape, dtype=bool)
    reached[:, :, -1] = True
    for _ in range(fluid.size):
        before = reached.sum()
        for axis in range(3):
            for step in (1, -1):
                moved = np.roll(reached, step, axis)
                np.moveaxis(moved, axis, 0)[0 if step == 1 else -1] = False
                reached |= moved & fluid
        if reached.sum() == before:
            break
    assert (reached == fluid).all()
    _, system = whole(made)
    # every row but those at the top sums to zero
    sums = np.add.reduceat(system.values, system.pointer[:-1])
    assert np.isin(np.round(sums, 12), [0.0, 2.0]).all() and (sums == 2).sum() == 256


def test_a_sphere_crosses_the_box():
    made = problem("moving_obstacle", cells=[16] * 3, duration="20 s", start=0.2, end=0.8)
    layout, first = whole(made, 0.0)
    last = made.system(layout, 20.0)
    assert layout.n_global == 16**3 and len(first.rhs) == len(last.rhs)
    for t, system in ((0.0, first), (20.0, last)):
        held = system.held.reshape(16, 16, 16)
        middle = np.argwhere(held).mean(axis=0)
        assert np.allclose((middle + 0.5) / 16, [0.2 + 0.6 * t / 20, 0.5, 0.5], atol=0.04)
        assert (system.rhs[system.held] == 0).all()
        a = dense(system)
        assert (a == a.T).all() and (a[system.held].sum(axis=1) == 1).all()
        assert (system.fields["solid"].astype(bool) == system.held).all()


@pytest.mark.parametrize("name", GRIDS)
def test_matrices_are_symmetric_with_ascending_columns(name):
    layout, system = whole(problem(name, **example(name)))
    a = dense(system) if len(system.rhs) < 5000 else None
    assert a is None or (a == a.T).all()
    rows = np.repeat(np.arange(len(system.rhs)), np.diff(system.pointer))
    assert (np.diff(rows * len(system.rhs) + system.columns) > 0).all()
    assert layout.positions.shape == (layout.n_owned, len(layout.cells))


def test_cuts_follow_blocks_of_cells():
    assert cuts(64, 2) == [0, 32, 64] and cuts(64, 4) == [0, 16, 32, 48, 64]
    assert cuts(64, 3) == [0, 24, 48, 64]
    for n in (8, 15, 32, 33, 100):
        for ranks in range(1, 9):
            found = np.diff(cuts(n, ranks))
            assert found.sum() == n and (found > 0).all()
            assert found.max() <= max(1.25 * n / ranks, -(-n // ranks))
