"""More labelled loads from few: convex combinations of the members of one class, kept where they are safe.

    x* = Σ_j a_j x_j,    a ~ Dirichlet(1, …, 1),    x_j the members of a class

A sum of fields with weights that add to 1 stays between them and solves every linear equation that they all
solve. It is kept where the nearest member is of that class. Selection of nodes is linear, so that
combinations of features are features of combinations. Classes keep their shares: a classifier that reads from
its members how frequent a class is reads the same. After T. Daniel et al., Math. Comput. Appl. 26 (2021) 17,
doi:10.3390/mca26010017.
"""

from __future__ import annotations

import numpy as np

from plexus.recommendation.classifiers import squares

Array = np.ndarray
TRIES = 20
"""Draws per wanted combination after which a class has what it has."""


def augmented(x: Array, y: Array, factor: float, seed: int = 0) -> tuple[Array, Array]:
    """Return features and labels with safe combinations behind them.

    Parameters
    ----------
    x : array (members, features)
        Features of training members, of like scale.
    y : array (members,) of int
        Their classes.
    factor : float
        Members per class afterwards, in members of the class, ≥ 1.
    seed : int
        Seed of the draws.
    """
    rng = np.random.default_rng(seed)
    xs, ys = [x], [y]
    for c in np.unique(y):
        new = _combined(x, y, c, rng, round((factor - 1) * (y == c).sum()))
        xs.append(new)
        ys.append(np.full(len(new), c))
    return np.concatenate(xs), np.concatenate(ys)


def _combined(x: Array, y: Array, c: int, rng: np.random.Generator, wanted: int) -> Array:
    """Return safe combinations of one class, as many as wanted or as were found."""
    mine, found = x[y == c], np.empty((0, x.shape[1]))
    for _ in range(TRIES if len(mine) > 1 else 0):
        made = rng.dirichlet(np.ones(len(mine)), wanted) @ mine
        nearest = squares(made, x).argmin(1)
        found = np.concatenate([found, made[y[nearest] == c]])[:wanted]
        if len(found) == wanted:
            break
    return found
