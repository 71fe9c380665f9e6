"""More labelled loads from few: convex combinations of neighbours of one class, kept where they are safe.

    x* = Σ_j a_j x_j,    a ~ Dirichlet(1, …, 1),    x_j a member and some of its nearest of the same class

A sum of fields with weights that add to 1 stays between them and solves every linear equation that they all
solve. It is kept where its nearest members are all of that class. Selection of nodes is linear, so that
combinations of features are features of combinations. After T. Daniel et al., Math. Comput. Appl. 26 (2021)
17, doi:10.3390/mca26010017; classes end up with equally many members.
"""

from __future__ import annotations

import numpy as np

from plexus.recommendation.classifiers import squares

Array = np.ndarray
TRIES = 20
"""Draws per wanted combination after which a class has what it has."""


def augmented(
    x: Array, y: Array, factor: float, seed: int = 0, neighbours: int = 4, pure: int = 3
) -> tuple[Array, Array]:
    """Return features and labels with safe combinations behind them.

    Parameters
    ----------
    x : array (members, features)
        Features of training members, of like scale.
    y : array (members,) of int
        Their classes.
    factor : float
        Members per class afterwards, in members of the largest class.
    seed : int
        Seed of the draws.
    neighbours : int
        Nearest members of the same class that a member is combined with.
    pure : int
        Nearest members that must be of the class.
    """
    rng = np.random.default_rng(seed)
    sizes = np.bincount(y)
    xs, ys = [x], [y]
    for c in np.flatnonzero(sizes):
        wanted = round(factor * sizes.max()) - sizes[c]
        new = _combined(x, y, c, max(wanted, 0), rng, neighbours, pure)
        xs.append(new)
        ys.append(np.full(len(new), c))
    return np.concatenate(xs), np.concatenate(ys)


def _combined(
    x: Array, y: Array, c: int, wanted: int, rng: np.random.Generator, neighbours: int, pure: int
) -> Array:
    """Return safe combinations of one class, as many as wanted or as were found."""
    mine, found = np.flatnonzero(y == c), np.empty((0, x.shape[1]))
    k = min(neighbours, len(mine) - 1)
    if k < 1 or wanted < 1:
        return found
    near = mine[np.argsort(squares(x[mine], x[mine]), axis=1)[:, : k + 1]]
    for _ in range(TRIES):
        rows = near[rng.integers(len(mine), size=wanted)]
        made = np.einsum("ij,ijk->ik", rng.dirichlet(np.ones(k + 1), wanted), x[rows])
        closest = np.argpartition(squares(made, x), min(pure, len(x)) - 1, axis=1)[:, :pure]
        found = np.concatenate([found, made[(y[closest] == c).all(1)]])[:wanted]
        if len(found) == wanted:
            break
    return found
