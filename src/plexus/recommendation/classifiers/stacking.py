"""Six perceptrons and a ridge logistic regression of their probabilities.

The perceptrons differ in widths, seeds and features that they see. The regression learns from probabilities
of members that they have not been trained on (folds), then all are trained on everything. D. H. Wolpert,
Neural Netw. 5 (1992) 241, doi:10.1016/S0893-6080(05)80023-1; in this form T. Daniel et al., Math. Comput.
Appl. 26 (2021) 17, doi:10.3390/mca26010017. Members may be augmented; those of the other folds only, so that
none is a combination of what it is judged by.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from plexus.recommendation.augmentation import augmented
from plexus.recommendation.classifiers import folds
from plexus.recommendation.classifiers.logistic import Logistic
from plexus.recommendation.classifiers.perceptron import Perceptron

Array = np.ndarray
WIDTHS = ((16,), (32,), (64,), (16, 16), (32, 16), (32, 32))
SEEN = 0.8
"""Share of the features that every perceptron but the first sees."""


@dataclass
class Stacking:
    """Several classifiers and one that weighs them.

    Parameters
    ----------
    factor : float
        Members per class after augmentation, in members of the class; 0 for none.
    count : int
        Folds.
    seed : int
        Seed of folds, features, weights and combinations.
    steps : int
        Steps of each training.
    ridge : float
        λ of the regression.

    Attributes
    ----------
    bases, top :
        The perceptrons and the regression.
    accuracy : float
        Share of members whose class the mean of the perceptrons finds, each asked in its own fold.
    """

    factor: float = 2.0
    count: int = 5
    seed: int = 0
    steps: int = 200
    ridge: float = 1.0
    bases: list[Perceptron] = field(default_factory=list)
    top: Logistic = field(default_factory=Logistic)
    accuracy: float = 0.0

    def fit(self, x: Array, y: Array, classes: int) -> Stacking:
        """Train the perceptrons on folds, the regression on what they answer, and them again on all."""
        rng = np.random.default_rng(self.seed)
        part, seen = folds(y, self.count, rng), self._seen(x.shape[1], rng)
        answers = np.zeros((len(x), len(WIDTHS) * classes))
        for k in np.unique(part):
            own = self._trained(x[part != k], y[part != k], classes, seen)
            answers[part == k] = _answers(own, x[part == k])
        mean = answers.reshape(len(x), len(WIDTHS), classes).mean(1)
        self.accuracy = float((mean.argmax(1) == y).mean())
        self.top = Logistic(self.ridge).fit(answers, y, classes)
        self.bases = self._trained(x, y, classes, seen)
        return self

    def probabilities(self, x: Array) -> Array:
        """Return rows of probabilities."""
        return self.top.probabilities(_answers(self.bases, x))

    def _seen(self, features: int, rng: np.random.Generator) -> list[Array]:
        some = max(1, round(SEEN * features))
        drawn = [np.sort(rng.choice(features, some, replace=False)) for _ in WIDTHS[1:]]
        return [np.arange(features), *drawn]

    def _trained(self, x: Array, y: Array, classes: int, seen: list[Array]) -> list[Perceptron]:
        if self.factor:
            x, y = augmented(x, y, self.factor, self.seed)
        return [
            Perceptron(widths, columns, steps=self.steps, seed=self.seed + k).fit(x, y, classes)
            for k, (widths, columns) in enumerate(zip(WIDTHS, seen, strict=True))
        ]


def _answers(bases: list[Perceptron], x: Array) -> Array:
    """Return the probabilities of all, side by side."""
    return np.concatenate([base.probabilities(x) for base in bases], axis=1)
