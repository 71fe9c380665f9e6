"""Recommendation of a reduced model by the temperature field: accuracy, few data, regret, latency.

Part of the benchmark `dictionary`. Classes are clusters of p by the sine; nodes are selected and features
scaled on the training members of each split alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from plexus.bench.hotspots import LABELS, STARTS, timed
from plexus.bench.table import Row
from plexus.recommendation.augmentation import augmented
from plexus.recommendation.classifiers import folds
from plexus.recommendation.classifiers.discriminant import Discriminant
from plexus.recommendation.classifiers.logistic import Logistic
from plexus.recommendation.classifiers.nearness import Nearness
from plexus.recommendation.classifiers.neighbours import Neighbours
from plexus.recommendation.classifiers.perceptron import Perceptron
from plexus.recommendation.classifiers.stacking import Stacking
from plexus.recommendation.selection import select
from plexus.reduction.clusters.dissimilarity import sine
from plexus.reduction.clusters.gain import leading, left
from plexus.reduction.clusters.medoids import medoids

if TYPE_CHECKING:
    from plexus.bench.hotspots import Data

Array = np.ndarray
FEATURES, REPEATS, FEW, DRAWS, FACTOR, MANY = 40, 5, 40, 20, 2.0, 5.0
SINGLE: dict[str, Callable[[], Any]] = {
    "logistic": Logistic, "1 neighbour": lambda: Neighbours(1), "5 neighbours": Neighbours,
    "linear discriminant": Discriminant, "quadratic discriminant": lambda: Discriminant(own=True),
    "perceptron": lambda: Perceptron((32,)),
}  # fmt: skip


def classes_of(data: Data) -> tuple[Array, Array]:
    """Return the class of every member, and its squared sines with the medoids of all classes."""
    d = sine(data.gram)
    found = medoids(d, LABELS, starts=STARTS)
    return found.labels, d[:, found.medoids] ** 2


def features(data: Data, y: Array, train: Array) -> Array:
    """Return the scaled values of all members at nodes that the training members choose."""
    names = np.arange(len(data.loads))
    places = select(MPI.COMM_SELF, data.loads[:, train], y[train], data.places, names, FEATURES)
    at = [int(np.argmin(np.linalg.norm(data.places - place, axis=1))) for place in places]
    x = data.loads[at].T
    return np.asarray((x - x[train].mean(0)) / x[train].std(0))


def halves(y: Array) -> list[tuple[Array, Array]]:
    """Return training and held-out members: a fifth of every class, by seed."""
    found = []
    for seed in range(REPEATS):
        held = folds(y, 5, np.random.default_rng(seed)) == 0
        found.append((np.flatnonzero(~held), np.flatnonzero(held)))
    return found


def right(
    model: Any, x: Array, y: Array, train: Array, test: Array, factor: float = 0.0, seed: int = 0
) -> float:
    """Return the accuracy of a classifier on members that it has not seen."""
    given = augmented(x[train], y[train], factor, seed) if factor else (x[train], y[train])
    answer = model.fit(*given, int(y.max()) + 1).probabilities(x[test]).argmax(1)
    return float((answer == y[test]).mean())


def accuracy(data: Data) -> list[Row]:
    """Return the accuracy of what recommends, by sines, beside that of classifiers that learn labels."""
    y, far = classes_of(data)
    pairs = halves(y)
    every = [(features(data, y, train), (train, test)) for train, test in pairs]
    found = []
    for x, (train, test) in every:
        model = Nearness().fit(x[train], y[train], far[train])
        found.append(float((model.probabilities(x[test]).argmax(1) == y[test]).mean()))
    mean = float(np.mean(found))
    others = {name: float(np.mean([right(made(), x, y, *pair, FACTOR) for x, pair in every]))
              for name, made in SINGLE.items()}  # fmt: skip
    others["stacking"] = float(np.mean([right(Stacking(FACTOR), x, y, *pair) for x, pair in every]))
    best = max(others, key=lambda name: others[name])
    told = ", ".join(f"{name} {value:.3f}" for name, value in others.items())
    sizes = " ".join(map(str, np.bincount(y)))
    return [
        Row("A5.2 accuracy of the recommendation, 4 classes", mean, "", 0.90, mean >= 0.90,
            f"spread {np.std(found, ddof=1):.3f}, classes of {sizes}"),
        Row("A5.2 the same less the best classifier of labels", mean - others[best], "", -0.005,
            mean - others[best] >= -0.005, told),
    ]  # fmt: skip


def augmentation(data: Data) -> list[Row]:
    """Return what augmentation brings where there are few data."""
    y, _ = classes_of(data)
    found = np.empty((2, len(SINGLE), DRAWS))
    for draw in range(DRAWS):
        order = np.random.default_rng([7, draw]).permutation(len(y))
        train, test = order[:FEW], order[FEW:]
        x = features(data, y, train)
        for k, made in enumerate(SINGLE.values()):
            for j, factor in enumerate((0.0, MANY)):
                found[j, k, draw] = right(made(), x, y, train, test, factor, draw)
    plain, gain = found[0], found[1] - found[0]
    near = min(gain[list(SINGLE).index(name)].mean() for name in ("1 neighbour", "5 neighbours"))
    told = ", ".join(f"{name} {100 * before.mean():.1f} {points(change)}"
                     for name, before, change in zip(SINGLE, plain, gain, strict=True))  # fmt: skip
    return [
        Row(f"A5.3 mean change of accuracy by augmentation, {FEW} fields", float(gain.mean()), "", 0.0,
            bool(gain.mean() >= 0), f"points {points(gain.mean(0))}; before and change: {told}"),
        Row("A5.3 the same of neighbours, the lower of 1 and 5", float(near), "", 0.02, bool(near >= 0.02)),
    ]  # fmt: skip


def points(change: Array) -> str:
    """Return a mean over draws in hundredths, with its standard error."""
    return f"{100 * change.mean():+.1f} ± {100 * change.std(ddof=1) / len(change) ** 0.5:.1f}"


def regret(data: Data) -> list[Row]:
    """Return the error of the recommended model relative to the best one's, and what asking costs."""
    y, far = classes_of(data)
    ratios: dict[int, list[Array]] = {1: [], 5: []}
    for train, test in halves(y):
        x = features(data, y, train)
        model = Nearness().fit(x[train], y[train], far[train])
        chosen = model.probabilities(x[test]).argmax(1)
        for n, found in ratios.items():
            bases = [leading(data.gram, train[y[train] == c], n) for c in range(LABELS)]
            errors = np.array([left(data.gram, basis, test) for basis in bases])
            found.append(errors[chosen, np.arange(len(test))] / errors.min(0))
    rows = []
    for n, found in ratios.items():
        for name, value, bound in (("median", 50, 1.05), ("95th percentile", 95, 1.5)):
            of = [float(np.percentile(ratio, value)) for ratio in found]
            whole = float(np.percentile(np.concatenate(found), value))
            told = "of each split " + " ".join(f"{r:.2f}" for r in of)
            rows.append(Row(f"A5.4 {name} of the regret, N={n}", whole, "", bound, whole <= bound, told))
    seconds = timed(lambda: model.probabilities(x[:1]))
    rows.append(Row("A5.4 one recommendation", 1e3 * seconds, "ms", 1.0, seconds <= 1e-3))
    return rows
