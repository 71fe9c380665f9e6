"""Incremental decomposition: of rows that come one after the other, modes take the place of those of before.

    [Ψ Σ, new] Z = Ψ' Σ',    Zᵀ C Z = Σ'²,    C = [Ψ Σ, new]ᵀ M [Ψ Σ, new]

Modes as long as their singular values stand for all rows that they came from: C of them and further rows is
that of all rows, but for what was left out (M. Brand, Linear Algebra Appl. 415 (2006) 20,
doi:10.1016/j.laa.2005.07.021; G. M. Oxberry, T. Kostova-Vassilevska, W. Arrighi, K. Chand, Int. J. Numer.
Methods Eng. 109 (2017) 198, doi:10.1002/nme.5283). So there is room for the modes and one block, whatever
the number of rows. Rows that are few enough are never touched before the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.reduction.cubature import square
from plexus.reduction.measures import mass
from plexus.reduction.pod import gram, principal

if TYPE_CHECKING:
    from plexus.spaces.assembly import Form
    from plexus.spaces.quadrature_space import QuadratureSpace

Array = np.ndarray
Gram = Callable[[Sequence[Array]], Array]
"""Rows (n here, c) -> C (k, k) over all ranks; collective."""
BLOCK = 8
"""Rows that come before they are decomposed with the modes."""
PIECE = 2**14
"""Places at which rows are turned at once."""


class Incremental:
    """Rows, and modes in the place of earlier ones.

    Parameters
    ----------
    gram : callable
        The inner product.
    tolerance : float
        Singular value relative to the largest below which modes are left out.
    block : int, optional
        How many rows come before they are decomposed; none: all.

    Attributes
    ----------
    rows : list of array (n here, c)
        Modes as long as their singular values, then the rows since. They are changed in place.
    modes : int
        How many of them are modes.
    left : float
        Sum of the squares of all singular values that were left out.
    """

    def __init__(self, gram: Gram, tolerance: float, block: int | None = BLOCK):
        self.gram, self.tolerance, self.block = gram, tolerance, block
        self.rows, self.modes, self.left = list[Array](), 0, 0.0

    def add(self, row: Array) -> None:
        """Take a further row, which is no one else's. Collective."""
        if len(self.rows) - self.modes == self.block:
            self.decompose()
        self.rows.append(row)

    def decompose(self, tolerance: float | None = None) -> None:
        """Make modes of all rows, coarser ones by another tolerance. Collective."""
        if not self.rows:
            return
        # small modes of the first pass have rounding of the large ones, which the second one takes out
        turn(self.rows, principal(self.gram(self.rows))[1])
        sizes, axes = principal(self.gram(self.rows))
        # a row of zeros stays, so that there always is one
        n = max(int((sizes > (tolerance or self.tolerance) * sizes[0]).sum()), 1)
        self.left += float((sizes[n:] ** 2).sum())
        turn(self.rows, axes[:, :n])
        self.modes = len(self.rows)

    def decomposed(self, tolerance: float | None = None) -> Array:
        """Return the modes of all rows, (n here, c, k); none of zeros. Collective."""
        self.decompose(tolerance)
        n = 0 if self.modes == 1 and not self.gram(self.rows).any() else self.modes
        found = np.empty((n, *self.rows[0].shape))
        for k in range(n):
            # rows go one by one, so that there never are two of all
            found[k] = self.rows[k]
            self.rows[k] = found[k]
        return np.moveaxis(found, 0, 2)

    def state(self) -> dict[str, Any]:
        """Return what a restart needs beside the rows."""
        return {"count": len(self.rows), "modes": self.modes, "left": self.left}

    def restore(self, state: Mapping[str, Any], rows: Array) -> None:
        """Go on from what `state` returned, and rows side by side, (n here, c k)."""
        self.modes, self.left = int(state["modes"]), float(state["left"])
        self.rows = [np.ascontiguousarray(a) for a in np.split(rows, state["count"], axis=1)]


def turn(rows: list[Array], axes: Array) -> None:
    """Let rows be their sums with coefficients (k, r), r <= k, in place and piece by piece."""
    for first in range(0, len(rows[0]), PIECE):
        part = slice(first, first + PIECE)
        made = np.tensordot(axes, np.stack([row[part] for row in rows]), (0, 0))
        for row, new in zip(rows, made, strict=False):
            row[part] = new
    del rows[axes.shape[1] :]


def at_nodes(form: Form) -> Gram:
    """Return the inner product of fields (n_local, m): that of L2 over the body."""

    def found(rows: Sequence[Array]) -> Array:
        columns = np.column_stack([u.ravel() for u in rows])
        return gram(form.space.comm, columns, mass(form, columns))

    return found


def at_points(points: QuadratureSpace, weights: Array | None = None) -> Gram:
    """Return the inner product of rows (own points, c), with weights (own points,) or without."""
    root = None if weights is None else np.sqrt(weights)

    def found(rows: Sequence[Array]) -> Array:
        total = np.zeros((len(rows),) * 2)
        for part in points.pieces():
            here = np.stack([row[part] for row in rows])
            flat = (here if root is None else here * root[part, None]).reshape(len(rows), -1)
            total += square(flat)
        return np.asarray(points.comm.allreduce(total))

    return found
