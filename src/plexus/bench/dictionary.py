"""Dictionaries of reduced models on the Z-set cube: clusters, local bases, recommendation of one of them.

300 temperature fields of two hot spots (`input_decks/rom/zset_dictionary.yaml`), marched once by the full
model and kept beside the results. Fields of p at the end are compared; errors are relative, in L2 over the
body, of fields that neither clusters nor bases have seen. After T. Daniel et al., J. Comput. Phys. 458
(2022) 111120, doi:10.1016/j.jcp.2022.111120, and Math. Comput. Appl. 26 (2021) 17, doi:10.3390/mca26010017.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plexus.bench import localmodels, recommendation
from plexus.bench.hotspots import STARTS, Data, kept
from plexus.bench.table import Row
from plexus.reduction.clusters.dissimilarity import euclidean, sine
from plexus.reduction.clusters.gain import gains, leading, left, nested, partitions, widths
from plexus.reduction.clusters.medoids import assigned, medoids

Array = np.ndarray
SPLITS, TRAINED = 10, 200
CLUSTERS = (4, 5, 6)


def run(*items: str) -> list[Row]:
    """Return the rows of clusters and of recommendation."""
    data = kept()
    parts = {
        "A3.2": local_bases, "A3.3": gain_of, "A3.3r": localmodels.runs, "A4.3": narrower,
        "A5.2": recommendation.accuracy, "A5.3": recommendation.augmentation,
        "A5.4": recommendation.regret,
    }  # fmt: skip
    return [row for name in items or parts for row in parts[name](data)]


def splits(count: int, members: int, trained: int) -> Iterator[tuple[Array, Array]]:
    """Yield training and other members, by seed."""
    for seed in range(count):
        order = np.random.default_rng(seed).permutation(members)
        yield order[:trained], order[trained:]


def unseen(gram: Array, d: Array, train: Array, test: Array, k: int, counts: tuple[int, ...]) -> Array:
    """Return mean errors of test members on the bases of the clusters to whose medoid they are nearest."""
    found = medoids(d[np.ix_(train, train)], k, starts=STARTS)
    label = assigned(d[np.ix_(test, train)], found.medoids)
    parts = [(train[found.labels == c], test[label == c]) for c in range(k)]
    return np.array([
        np.concatenate([left(gram, leading(gram, own, n), others) for own, others in parts]).mean()
        for n in counts
    ])  # fmt: skip


def local_bases(data: Data) -> list[Row]:
    """Return the errors of local bases by three dissimilarities, and their gain on one basis."""
    g = data.gram
    by = {"sine": sine(g), "Euclid": euclidean(g),
          "hot spot": np.linalg.norm(data.centres[:, None] - data.centres, axis=2)}  # fmt: skip
    pairs = list(splits(SPLITS, len(g), TRAINED))
    whole = np.array([unseen(g, by["sine"], *pair, 1, (1, 5)) for pair in pairs])
    rows = []
    for k in CLUSTERS:
        found = {name: np.array([unseen(g, d, *pair, k, (1, 5)) for pair in pairs]) for name, d in by.items()}
        mean = found["sine"][:, 0].mean()
        for rival in ("Euclid", "hot spot"):
            apart = found[rival][:, 0] - found["sine"][:, 0]
            rows.append(Row(
                f"A3.2 K={k}, N=1: error by sine less that by {rival}, mean of {SPLITS} splits",
                float(-apart.mean()), "", 0.0, bool(apart.mean() >= 0),
                f"{mean:.3f} against {found[rival][:, 0].mean():.3f}, spread of the difference "
                f"{apart.std(ddof=1):.3f}, sine lower in {(apart > 0).sum()}",
            ))  # fmt: skip
        for name in found:
            gain = 1 - found[name][:, 1] / whole[:, 1]
            rows.append(Row(
                f"A3.2 K={k}, N=5: share of the error of one basis that clusters by {name} save",
                float(gain.mean()), "", 0.15, bool(gain.mean() >= 0.15), f"spread {gain.std(ddof=1):.3f}",
            ))  # fmt: skip
    return rows


def gain_of(data: Data) -> list[Row]:
    """Return how the gain before any basis is made goes with the measured one."""
    g = data.gram
    train, test = next(splits(1, len(g), TRAINED))
    d = sine(g)
    promised = gains(partitions(d[np.ix_(train, train)], 8, starts=STARTS))
    errors = np.array([unseen(g, d, train, test, k, (1, 5)) for k in range(1, 9)])
    rows = []
    for j, n in enumerate((1, 5)):
        measured = 1 - errors[:, j] / errors[0, j]
        alike = correlation(promised[1:], measured[1:])
        rows.append(Row(
            f"A3.3 rank correlation of gain G(K) and measured gain, K=2…8, N={n}", alike, "", 0.8,
            alike >= 0.8, "G " + " ".join(f"{a:.2f}" for a in promised[1:]) + "; measured "
            + " ".join(f"{a:.2f}" for a in measured[1:]),
        ))  # fmt: skip
    return rows


def correlation(a: Array, b: Array) -> float:
    """Return the correlation of the ranks of two sequences."""
    ranks = [np.argsort(np.argsort(each)) for each in (a, b)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def narrower(data: Data) -> list[Row]:
    """Return how clusters narrow with their number."""
    d, g = sine(data.gram), data.gram
    wide = nested(g, d, 8, starts=STARTS)
    rows = [Row(
        "A4.3 largest rise of the widest of nested clusters, N=1, K=1…8", float(np.diff(wide).max()), "", 0.0,
        bool((np.diff(wide) <= 0).all()), "width " + " ".join(f"{w:.3f}" for w in wide),
    )]  # fmt: skip
    found = partitions(d, 8, starts=STARTS)
    means = np.array([widths(g, part.labels, (1, 3, 5)).mean(0) for part in found])
    for j, n in enumerate((1, 3, 5)):
        share = float(means[-1, j] / means[0, j])
        text = "means over clusters " + " ".join(f"{w:.2f}" for w in means[:, j])
        rows.append(
            Row(f"A4.3 width of 8 clusters relative to that of one, N={n}", share, "", 1.0, share < 1, text)
        )
    return rows
