"""Recommendation of a model: nodes that decide are found, classifiers reach what can be known."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from plexus.errors import InputError
from plexus.recommendation.augmentation import augmented
from plexus.recommendation.classifiers import folds, kernel, squares
from plexus.recommendation.classifiers.discriminant import Discriminant
from plexus.recommendation.classifiers.logistic import Logistic
from plexus.recommendation.classifiers.nearness import Nearness
from plexus.recommendation.classifiers.neighbours import Neighbours
from plexus.recommendation.classifiers.perceptron import Perceptron
from plexus.recommendation.classifiers.stacking import Stacking
from plexus.recommendation.selection import information, select

COMM = MPI.COMM_WORLD
N, LENGTH = 15, 0.25


def fields(seed, members=400, noise=0.05):
    """Return nodes of a square, fields of ten smooth modes, labels by their signs at two nodes, and these.

    Modes are those of a Gaussian correlation of length LENGTH; one label in twenty is drawn.
    """
    rng = np.random.default_rng(seed)
    axis = np.linspace(0, 1, N)
    x = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    covariance = np.exp(-((x[:, None] - x) ** 2).sum(2) / LENGTH**2)
    values, vectors = np.linalg.eigh(covariance)
    modes = vectors[:, -10:] * np.sqrt(values[-10:])
    u = modes @ rng.standard_normal((10, members))
    while True:
        a, b = rng.choice(len(x), 2, replace=False)
        if np.linalg.norm(x[a] - x[b]) > 2 * LENGTH:
            break
    labels = 2 * (u[a] > 0) + (u[b] > 0)
    drawn = rng.random(members) < noise
    labels[drawn] = (labels[drawn] + rng.integers(1, 4, drawn.sum())) % 4
    return x, u, labels, x[[a, b]]


@pytest.mark.parametrize("seed", range(10))
def test_nodes_that_decide_are_among_the_first(seed):
    """Within one correlation length of both in four picks."""
    x, u, labels, deciding = fields(seed)
    found = select(MPI.COMM_SELF, u, labels, x, np.arange(len(x)), 4)
    for place in deciding:
        assert np.linalg.norm(found - place, axis=1).min() <= LENGTH


def rows(x, u, places):
    """Return the features of members at places, of deviation 1."""
    at = [int(np.argmin(np.linalg.norm(x - place, axis=1))) for place in places]
    z = u[at].T
    return (z - z.mean(0)) / z.std(0)


def test_stacking_comes_near_to_what_can_be_known():
    """With one label in twenty drawn at random nobody can exceed 0.95."""
    # over draws it reaches 0.88 to 0.93 with 700 members
    x, u, labels, _ = fields(3, members=1100)
    found = select(MPI.COMM_SELF, u[:, :600], labels[:600], x, np.arange(len(x)), 10)
    z = rows(x, u, found)
    model = Stacking(steps=120, count=3, factor=1.5).fit(z[:600], labels[:600], 4)
    p = model.probabilities(z[600:])
    assert np.allclose(p.sum(1), 1) and (p >= 0).all()
    assert (p.argmax(1) == labels[600:]).mean() >= 0.90


@pytest.mark.mpi
def test_the_choice_does_not_depend_on_the_ranks():
    x, u, labels, _ = fields(1, members=120)
    names = np.random.default_rng(2).permutation(len(x))
    here = np.array_split(np.arange(len(x)), COMM.size)[COMM.rank]
    found = select(COMM, u[here], labels, x[here], names[here], 6)
    alone = select(MPI.COMM_SELF, u, labels, x, names, 6)
    assert np.array_equal(found, alone)


def test_information_of_what_is_known():
    """A label tells itself in full, an independent one nothing."""
    rng = np.random.default_rng(0)
    binned = rng.integers(5, size=(3, 2000))
    assert information(binned, binned[1])[1] == pytest.approx(np.log(5), abs=0.01)
    assert information(binned, rng.integers(4, size=2000)).max() <= 0.01
    with pytest.raises(InputError, match="same for all members"):
        select(MPI.COMM_SELF, np.ones((4, 9)), np.arange(9) % 2, np.eye(4), np.arange(4), 2)
    with pytest.raises(InputError, match="fewer than 9 nodes"):
        select(MPI.COMM_SELF, binned * 1.0, np.arange(2000) % 2, np.eye(3), np.arange(3), 9)


def test_combinations_stay_inside_their_class():
    """Two far clouds and a small one: shares stay, every new member lies in its own cloud's box."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(c, 0.3, (n, 2)) for c, n in ((0, 30), (4, 30), (8, 6))])
    y = np.repeat([0, 1, 2], [30, 30, 6])
    more, labels = augmented(x, y, 3.0)
    assert np.array_equal(more[: len(x)], x) and (np.bincount(labels) == [90, 90, 18]).all()
    for c in range(3):
        own = x[y == c]
        assert (more[labels == c] >= own.min(0)).all() and (more[labels == c] <= own.max(0)).all()


def test_no_combination_is_made_where_another_class_is_nearer():
    """A class on both sides of another one: what lies between is the other's. A lone member makes nothing."""
    x = np.array([[-1.0], [1.0], [-0.2], [0.2], [9.0]])
    y = np.array([0, 0, 1, 1, 2])
    more, labels = augmented(x, y, 20.0)
    assert (np.bincount(labels) == [40, 40, 1]).all() and (np.abs(more[labels == 0]) > 0.6).all()


@pytest.mark.parametrize(
    "made", [Logistic, lambda: Neighbours(1), Neighbours, Discriminant, lambda: Discriminant(own=True),
             lambda: Perceptron((16,), steps=150)],
)  # fmt: skip
def test_classifiers_tell_gaussian_clouds_apart(made):
    """Three unit clouds around the corners of a triangle: the best rule is right with 0.94."""
    rng = np.random.default_rng(0)
    corners = np.array([[0, 0], [4, 0], [2, 3.5]])
    y = rng.integers(3, size=1200)
    x = corners[y] + rng.standard_normal((1200, 2))
    x = (x - x.mean(0)) / x.std(0)
    p = made().fit(x[:300], y[:300], 3).probabilities(x[300:])
    assert (p.argmax(1) == y[300:]).mean() >= 0.91


def centred(seed, members):
    """Return places in a cube of five dimensions, and squared distances to four of its points."""
    rng = np.random.default_rng(seed)
    x, centres = rng.uniform(-1.7, 1.7, (members, 5)), rng.uniform(-1, 1, (4, 5))
    return x, ((x[:, None] - centres) ** 2).sum(2) + np.sin(2 * x[:, :1])


def test_members_left_out_are_foretold_as_if_they_had_not_been_there(monkeypatch):
    monkeypatch.setattr(kernel, "LENGTHS", (0.8,))
    monkeypatch.setattr(kernel, "RIDGES", (1e-2,))
    x, far = centred(0, 30)
    model = kernel.Kernel().fit(x, far)
    k = np.exp(-squares(model.z, model.z) / (2 * model.length**2))
    target = (far - far.mean(0)) / far.std()
    for i in (0, 7, 29):
        rest = np.arange(30) != i
        weights = np.linalg.solve(k[np.ix_(rest, rest)] + 1e-2 * np.eye(29), target[rest])
        assert np.allclose(k[i, rest] @ weights, model.left_out[i], atol=1e-10)


def test_distances_teach_more_than_labels():
    """Where classes are those of the nearest point, a few members with distances find more."""
    x, far = centred(1, 460)
    y = far.argmin(1)
    plain = Stacking(steps=60, count=3, factor=0.0).fit(x[:60], y[:60], 4)
    told = Nearness().fit(x[:60], y[:60], far[:60])
    right = [(model.probabilities(x[60:]).argmax(1) == y[60:]).mean() for model in (plain, told)]
    assert right[1] >= right[0] + 0.05 and abs(told.accuracy - right[1]) <= 0.1


def test_a_perceptron_goes_down_its_slope():
    """Its derivatives are those of differences."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((20, 3)), rng.integers(2, size=20)
    net = Perceptron((4, 5), decay=0.1, steps=1).fit(x, y, 2)
    target = np.eye(2)[y]

    def loss():
        p = (net.probabilities(x) * target).sum(1)
        return -np.log(p).mean() + 0.05 * sum((w[:-1] ** 2).sum() for w in net.layers)

    for w, g in zip(net.layers, net._slopes(x, target), strict=True):
        w[1, 0] += 1e-6
        up = loss()
        w[1, 0] -= 2e-6
        assert g[1, 0] == pytest.approx((up - loss()) / 2e-6, rel=1e-5, abs=1e-8)
        w[1, 0] += 1e-6


def test_folds_have_all_classes():
    y = np.repeat([0, 1], [40, 10])
    part = folds(y, 5, np.random.default_rng(0))
    assert all((np.bincount(y[part == k]) == [8, 2]).all() for k in range(5))
