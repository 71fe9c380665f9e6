"""A multilayer perceptron: tanh layers and a softmax, trained on all members at once by Adam.

    min  mean_i -ln p_{y_i}(x_i) + (λ/2)|W|²

D. E. Rumelhart, G. E. Hinton, R. J. Williams, Nature 323 (1986) 533, doi:10.1038/323533a0; D. P. Kingma, J.
Ba, arXiv:1412.6980. Some of the features may be left out, so that several of them differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from plexus.recommendation.classifiers import shares

Array = np.ndarray
RATE, FIRST, SECOND, SMALL = 0.01, 0.9, 0.999, 1e-8


class Perceptron:
    """A network of dense layers.

    Parameters
    ----------
    widths : sequence of int
        Neurons of the hidden layers.
    features : array of int, optional
        Columns that it sees; all without it.
    decay : float
        λ.
    steps : int
        Steps of the training.
    seed : int
        Seed of the first weights.
    """

    def __init__(
        self,
        widths: Sequence[int] = (32,),
        features: Array | None = None,
        decay: float = 3e-3,
        steps: int = 200,
        seed: int = 0,
    ):
        self.widths, self.features, self.decay = tuple(widths), features, decay
        self.steps, self.seed = steps, seed
        self.layers: list[Array] = []
        """Weights (inputs + 1, outputs) of each layer, the last row is the constant."""

    def fit(self, x: Array, y: Array, classes: int) -> Perceptron:
        """Train from fresh weights."""
        x, target = self._seen(x), np.eye(classes)[y]
        rng, sizes = np.random.default_rng(self.seed), (x.shape[1], *self.widths, classes)
        self.layers = [
            np.vstack([rng.standard_normal((a, b)) / np.sqrt(a), np.zeros(b)]) for a, b in pairwise(sizes)
        ]
        moments = [(np.zeros_like(w), np.zeros_like(w)) for w in self.layers]
        for step in range(1, self.steps + 1):
            # the rate falls to zero as a cosine
            rate = RATE * 0.5 * (1 + np.cos(np.pi * step / self.steps)) / (1 - FIRST**step)
            for w, g, (m, v) in zip(self.layers, self._slopes(x, target), moments, strict=True):
                m += (1 - FIRST) * (g - m)
                v += (1 - SECOND) * (g * g - v)
                w -= rate * m / (np.sqrt(v / (1 - SECOND**step)) + SMALL)
        return self

    def probabilities(self, x: Array) -> Array:
        """Return rows of probabilities."""
        return shares(self._through(self._seen(x))[-1])

    def _seen(self, x: Array) -> Array:
        return x if self.features is None else x[:, self.features]

    def _through(self, x: Array) -> list[Array]:
        """Return the inputs of all layers and the scores."""
        found = [x]
        for k, w in enumerate(self.layers):
            z = found[-1] @ w[:-1] + w[-1]
            found.append(np.tanh(z) if k + 1 < len(self.layers) else z)
        return found

    def _slopes(self, x: Array, target: Array) -> list[Array]:
        """Return the derivative of the loss in each layer's weights, by the chain rule from the last one."""
        passed = self._through(x)
        delta = (shares(passed[-1]) - target) / len(x)
        slopes: list[Array] = []
        for w, before in zip(reversed(self.layers), reversed(passed[:-1]), strict=True):
            g = np.vstack([before.T @ delta, delta.sum(0)])
            g[:-1] += self.decay * w[:-1]
            slopes.append(g)
            delta = delta @ w[:-1].T * (1 - before**2)
        return slopes[::-1]
