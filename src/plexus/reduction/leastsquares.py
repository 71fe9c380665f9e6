"""Least squares of few columns that come and go: G x ≈ b by an updated factorisation Gᵀ = Rᵀ Q.

A column is added by two passes of Gram and Schmidt, which keep Q orthogonal to rounding, and taken out by
rotations of two rows, which make R triangular again (G. H. Golub, C. F. Van Loan, Matrix Computations, 4th
ed., 2013, section 6.5.2).
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
ROOM = 64
"""Columns that there is room for at first, and those that a triangular solution takes at once."""
DEPENDENT = 1e-13
"""Share of a column outside of those before it, below which it counts as a combination of them."""


class LeastSquares:
    """x = argmin |G x - b| for the columns of the moment.

    Parameters
    ----------
    b : array (m,)
        The right-hand side.
    """

    def __init__(self, b: Array):
        self.b, self.n = b, 0
        self._columns, self._q = np.empty((ROOM, len(b))), np.empty((ROOM, len(b)))
        self._r, self._y = np.zeros((ROOM, ROOM)), np.empty(ROOM)
        self._dependent = False

    def append(self, column: Array) -> None:
        """Add a column (m,)."""
        n = self.n
        if n == len(self._columns):
            self._grow()
        q = self._q[:n]
        h = q @ column
        v = column - h @ q
        again = q @ v
        v -= again @ q
        length = float(np.linalg.norm(v))
        self._dependent |= length <= DEPENDENT * float(np.linalg.norm(column))
        self._columns[n], self._q[n] = column, v / max(length, 1e-300)
        self._r[n, :n], self._r[:n, n], self._r[n, n] = 0.0, h + again, length
        self._y[n] = self._q[n] @ self.b
        self.n += 1

    def remove(self, k: int) -> None:
        """Take a column out."""
        n = self.n
        self._columns[k : n - 1] = self._columns[k + 1 : n]
        if self._dependent:
            self._again(n - 1)
        else:
            self._turn(k)
            self.n -= 1

    def _turn(self, k: int) -> None:
        n, q, r, y = self.n, self._q, self._r, self._y
        r[:n, k : n - 1] = r[:n, k + 1 : n]
        for j in range(k, n - 1):
            length = max(float(np.hypot(r[j, j], r[j + 1, j])), 1e-300)
            c, s = r[j, j] / length, r[j + 1, j] / length
            turn = np.array([[c, s], [-s, c]])
            r[j : j + 2, j : n - 1] = turn @ r[j : j + 2, j : n - 1]
            q[j : j + 2] = turn @ q[j : j + 2]
            y[j : j + 2] = turn @ y[j : j + 2]

    def _again(self, n: int) -> None:
        """Factorise the first columns anew: no rotation repairs a Q with a row of rounding."""
        self.n, self._dependent = 0, False
        for column in self._columns[:n].copy():
            self.append(column)

    def solution(self) -> Array:
        """Return x (n,); of dependent columns that of the smallest length."""
        n = self.n
        if self._dependent:
            return np.linalg.lstsq(self._columns[:n].T, self.b, rcond=None)[0]
        return _backward(self._r[:n, :n], self._y[:n])

    def _grow(self) -> None:
        n = self.n
        self._columns, self._q = (np.concatenate([a, np.empty_like(a)]) for a in (self._columns, self._q))
        self._r, self._y = np.pad(self._r, (0, n)), np.concatenate([self._y, np.empty(n)])


def _backward(r: Array, y: Array) -> Array:
    """Solve R x = y with a triangular R, block after block from below."""
    x = y.copy()
    for end in range(len(y), 0, -ROOM):
        begin = max(end - ROOM, 0)
        x[begin:end] = np.linalg.solve(r[begin:end, begin:end], x[begin:end])
        x[:begin] -= r[:begin, begin:end] @ x[begin:end]
    return x
