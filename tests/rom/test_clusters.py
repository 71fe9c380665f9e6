"""Clusters of fields with known answers: Gaussians, a half circle, steps; the Gram matrix on any ranks."""

from __future__ import annotations

import numpy as np
import pytest
from mpi4py import MPI

from plexus.errors import InputError
from plexus.offline.training import weighed
from plexus.reduction.clusters.dissimilarity import angles, euclidean, sine
from plexus.reduction.clusters.gain import choose, gains, leading, left, nested, partitions, widths
from plexus.reduction.clusters.lines import lines
from plexus.reduction.clusters.medoids import assigned, medoids

COMM = MPI.COMM_WORLD
WIDTH = 0.05


def gaussians(centres, sizes, ends=(0.0, 1.0), points=1000):
    """Return the Gram matrix of A exp(-(x - a)²/2s²), one field per centre, by the trapezoidal rule."""
    x = np.linspace(*ends, points + 1)
    weights = np.full(len(x), (ends[1] - ends[0]) / points)
    weights[[0, -1]] /= 2
    fields = sizes * np.exp(-((x[:, None] - centres) ** 2) / (2 * WIDTH**2))
    return (fields * weights[:, None]).T @ fields


def drawn(seed):
    """Return the Gram matrix of 300 training and 300 other members, of any size and sign."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0.1, 0.9, 600)
    return gaussians(centres, rng.choice([-1.0, 1.0], 600) * 10 ** rng.uniform(-1, 1, 600), points=400)


@pytest.fixture(scope="module")
def families():
    """Return some draws of the family."""
    return [drawn(seed) for seed in range(4)]


@pytest.fixture(scope="module")
def family(families):
    return families[0]


def test_the_sine_of_gaussians_is_known():
    """sin² = 1 - exp(-d²/2s²) at a distance d, whatever their sizes and signs."""
    rng = np.random.default_rng(1)
    centres = rng.uniform(0.1, 0.9, 300)
    found = sine(gaussians(centres, rng.uniform(-10, 10, 300), (-1.0, 2.0), 600))
    exact = np.sqrt(-np.expm1(-((centres[:, None] - centres) ** 2) / (2 * WIDTH**2)))
    far = np.abs(centres[:, None] - centres) > 1e-3
    assert np.abs(found - exact)[far].max() <= 1e-10
    # squares of what is nearer are rounding of 1
    assert np.abs(found - exact).max() <= 1e-7


@pytest.mark.parametrize(
    ("k", "one", "three", "far_one", "far_three"),
    [(1, 0.885, 0.657, 0.885, 0.657), (2, 0.769, 0.363, 0.867, 0.635),
     (4, 0.582, 0.105, 0.846, 0.610), (8, 0.339, 0.018, 0.768, 0.486)],
)  # fmt: skip
def test_clusters_by_angle_leave_less_than_by_distance(families, k, one, three, far_one, far_three):
    """Mean projection errors of unseen members with 1 and 3 modes, over draws, against one of a prototype."""

    def errors(dissimilarity):
        return np.mean([unseen(g, dissimilarity(g), k) for g in families], axis=0)

    # three modes of four clusters scatter from 0.106 to 0.137 over draws
    near = pytest.approx([one, three], rel=0.20 if k == 4 else 0.15)
    assert errors(sine) == near and errors(euclidean) == pytest.approx([far_one, far_three], rel=0.15)
    if k == 4:
        assert errors(sine)[1] <= 0.13 and errors(euclidean)[1] >= 0.5


def unseen(gram, d, k):
    """Return the mean errors of the last 300 on 1 and 3 modes of their clusters of the first 300."""
    train, test = np.arange(300), np.arange(300, 600)
    found = medoids(d[:300, :300], k, starts=4)
    label = assigned(d[300:, :300], found.medoids)
    parts = [(train[found.labels == c], test[label == c]) for c in range(k)]
    return [
        np.concatenate([left(gram, leading(gram, own, n), others) for own, others in parts]).mean()
        for n in (1, 3)
    ]


@pytest.mark.parametrize("k", [1, 2, 3, 4, 6])
def test_a_half_circle_falls_into_equal_arcs(k):
    """Directions in K arcs: largest sine sin(π/2K), mean (2K/π)(1 - cos(π/2K))."""
    phi = np.pi * np.arange(720) / 720
    u = np.array([np.cos(phi), np.sin(phi)])
    d = sine(u.T @ u)
    found = medoids(d, k, starts=4)
    own = d[np.arange(720), found.medoids[found.labels]]
    assert own.max() == pytest.approx(np.sin(np.pi / (2 * k)), abs=1e-4)
    assert found.mean == pytest.approx(2 * k / np.pi * (1 - np.cos(np.pi / (2 * k))), abs=1e-4)


def test_steps_have_the_spectrum_of_brownian_motion():
    """1 for x ≥ µ: λ_k = 4/((2k - 1)² π²); clusters are finer where few of the steps are long."""
    mu = (np.arange(2000) + 0.5) / 2000
    g = 1.0 - np.maximum(mu[:, None], mu)
    values = np.linalg.eigvalsh(g / 2000)[::-1]
    exact = 4 / ((2 * np.arange(1, 6) - 1) ** 2 * np.pi**2)
    assert values[:5] == pytest.approx(exact, rel=1e-4)
    assert np.sqrt(values[10:].sum() / values.sum()) == pytest.approx(0.1423, abs=2e-4)
    few = slice(2, None, 8)
    found = medoids(sine(g[few, few]), 6, starts=4)
    at = mu[few][found.medoids]
    assert (np.diff(1 - at) < 0).all() and (np.diff(np.diff(at)) < 0).all()


def test_lines_go_down_and_end_below_medoids(family):
    g, distances = family[:300, :300], euclidean(family[:300, :300])
    d = sine(g)
    for k in range(2, 9):
        found = medoids(d, k, starts=4)
        around = lines(g, found.labels)
        assert (np.diff(around.objectives) <= 1e-14).all()
        by_medoid = (d[np.arange(300), found.medoids[found.labels]] ** 2).mean()
        by_distance = medoids(distances, k, starts=2)
        far = (d[np.arange(300), by_distance.medoids[by_distance.labels]] ** 2).mean()
        assert around.objectives[-1] <= by_medoid <= far


def test_gain_and_widths_fall_with_clusters(family):
    found = partitions(sine(family[:300, :300]), 8, starts=4)
    g = gains(found)
    assert g[0] == 0 and (np.diff(g) > 0).all() and g[-1] > 0.5
    assert choose(found, 0.0, 5) == 8 and choose(found, 0.9, 5) == 1
    assert choose(found, 0.05, 5) < 8
    wide = nested(family[:300, :300], sine(family[:300, :300]), 6, starts=2)
    assert (np.diff(wide) <= 0).all() and wide[-1] < wide[0]
    largest = [widths(family, p.labels, [1, 3]).max(0) for p in found]
    assert largest[7][0] < largest[0][0] and largest[7][1] < largest[0][1]
    with pytest.raises(InputError, match="a cluster needs 400 members"):
        choose(found, 0.05, 400)


def test_spaces_of_members_by_their_principal_angles():
    """A plane turned by θ about one of its axes is sin θ/√2 away; a line in a plane lacks one direction."""
    e, theta = np.eye(4), 0.3
    turned = np.cos(theta) * e[1] + np.sin(theta) * e[2]
    fields = np.array([e[0], 2 * e[0] + e[1], turned - e[0], 3 * e[0], e[1]]).T
    parts = [slice(0, 2), slice(2, 4), slice(4, 5)]
    d = angles(fields.T @ fields, parts, rank=3)
    assert d[0, 1] == pytest.approx(np.sin(theta) / np.sqrt(2), abs=1e-12)
    assert d[0, 2] == pytest.approx(np.sqrt(0.5), abs=1e-12)
    assert np.allclose(d, d.T) and np.diag(d).max() == 0
    with pytest.raises(InputError, match="no direction"):
        sine(np.diag([1.0, 0.0]))


def test_what_cannot_be_put_into_clusters_is_refused():
    with pytest.raises(InputError, match="2 members cannot be put into 3"):
        medoids(np.zeros((2, 2)), 3)
    with pytest.raises(InputError, match="finite"):
        medoids(np.full((2, 2), np.nan), 1)


@pytest.mark.mpi
def test_fields_of_many_ranks_meet_in_their_gram_matrix():
    """The clusters do not depend on the ranks; one reduction adds up what all have."""
    x, rng = np.linspace(0, 1, 301), np.random.default_rng(3)
    fields = np.exp(-((x[:, None] - rng.uniform(0.1, 0.9, 40)) ** 2) / (2 * WIDTH**2))
    here = np.array_split(np.arange(301), COMM.size)[COMM.rank]
    counted = Counting(COMM)
    g = weighed(counted, fields[here], np.full(len(here), 1 / 300))
    assert counted.reductions == 1
    alone = weighed(MPI.COMM_SELF, fields, np.full(301, 1 / 300))
    assert np.abs(g - alone).max() <= 1e-14
    assert (medoids(sine(g), 4).medoids == medoids(sine(alone), 4).medoids).all()


class Counting:
    """A communicator that counts its reductions."""

    def __init__(self, comm):
        self.comm, self.reductions = comm, 0

    def allreduce(self, value):
        self.reductions += 1
        return self.comm.allreduce(value)
