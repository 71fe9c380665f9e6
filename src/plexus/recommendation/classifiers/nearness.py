"""A class by how far a member is foretold to be from all medoids: kernel, then ridge logistic regression.

The regression learns from what the kernel foretells of each member by all others (`Kernel.left_out`), so that
it knows how far that can be trusted: a stacking whose members are left out one at a time (D. H. Wolpert,
Neural Netw. 5 (1992) 241, doi:10.1016/S0893-6080(05)80023-1).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from plexus.recommendation.classifiers import folds
from plexus.recommendation.classifiers.kernel import Kernel
from plexus.recommendation.classifiers.logistic import Logistic

Array = np.ndarray


@dataclass
class Nearness:
    """Probabilities of classes from foretold distances.

    Parameters
    ----------
    count : int
        Folds by which the accuracy is told.
    seed : int
        Seed of folds.

    Attributes
    ----------
    kernel, top :
        The regressions.
    accuracy : float
        Share of members whose class is found, each asked of what the other folds teach the second one.
    """

    count: int = 5
    seed: int = 0
    kernel: Kernel = field(default_factory=Kernel)
    top: Logistic = field(default_factory=Logistic)
    accuracy: float = 0.0

    def fit(self, x: Array, y: Array, far: Array) -> Nearness:
        """Learn from features (members, f), classes, squared dissimilarities (members, classes)."""
        answers, classes = self.kernel.fit(x, far).left_out, far.shape[1]
        part = folds(y, self.count, np.random.default_rng(self.seed))
        found = np.zeros(len(y), dtype=bool)
        for own in (part == k for k in np.unique(part)):
            top = Logistic().fit(answers[~own], y[~own], classes)
            found[own] = top.probabilities(answers[own]).argmax(1) == y[own]
        self.accuracy = float(found.mean())
        self.top.fit(answers, y, classes)
        return self

    def probabilities(self, x: Array) -> Array:
        """Return rows of probabilities, (members, classes)."""
        return self.top.probabilities(self.kernel.answers(x))
