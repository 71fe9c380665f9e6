"""Projection of rates on a basis: Galerkin's, or that of least squares for each step.

    z = z_0 + Φ c,    Φᵀ W Φ = 1
    Galerkin       ċ = Φᵀ W f(z, t)
    least squares  c = argmin |Φ ċ - f(z, t)|_W with ċ = shift c + offset, the stage of an implicit step

Source of the second: K. Carlberg, M. Barone, H. Antil, J. Comput. Phys. 330 (2017) 693,
doi:10.1016/j.jcp.2016.10.033; Gauss and Newton's method minimises.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from plexus.errors import SolveError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

Array = np.ndarray
MOST = 30
"""Newton steps after which a stage has failed."""


class Rows(Protocol):
    """Rows of a state, all of them or those of this rank, and their rates."""

    origin: Array
    """z_0, (rows,)."""
    weights: Array
    """W, (rows,), with which rows of all units count alike."""

    def rates(self, z: Array, t: float) -> Array:
        """Return f(z, t), (rows,). Collective."""

    def slopes(self, z: Array, t: float, directions: Array) -> Array:
        """Return the derivatives of f along directions (rows, k), (rows, k). Collective."""


class Projection:
    """Rates of the coordinates c of a basis.

    Parameters
    ----------
    rows : Rows
        What is projected.
    modes : array (rows, k)
        Φ.
    comm : Comm, optional
        Ranks that share the rows; without it each rank has all of them.
    test : {"galerkin", "least_squares"}
        What holds at a stage of an implicit step.
    """

    def __init__(
        self,
        rows: Rows,
        modes: Array,
        comm: Comm | None = None,
        test: Literal["galerkin", "least_squares"] = "galerkin",
    ):
        self.rows, self.modes, self.comm, self.test = rows, modes, comm, test
        self._weighted = modes * rows.weights[:, None]

    @property
    def count(self) -> int:
        """Number of coordinates."""
        return int(self.modes.shape[1])

    def lift(self, c: Array) -> Array:
        """Return z, (rows,)."""
        return np.asarray(self.rows.origin + self.modes @ c)

    def rates(self, c: Array, t: float) -> tuple[Array, float]:
        """Return ċ after Galerkin, and the size |f - Φ ċ|_W of the rates outside the basis. Collective."""
        f = self.rows.rates(self.lift(c), t)
        total = self._sum(np.append(self._weighted.T @ f, f @ (self.rows.weights * f)))
        rate, square = total[:-1], float(total[-1])
        return rate, max(square - float(rate @ rate), 0.0) ** 0.5

    def jacobian(self, c: Array, t: float) -> Array:
        """Return ∂ċ/∂c after Galerkin, (k, k). Collective."""
        return self._sum(self._weighted.T @ self.rows.slopes(self.lift(c), t, self.modes))

    def solve(self, c: Array, t: float, shift: float, offset: Array, tolerance: float = 1e-10) -> int:
        """Solve a stage for c in place; return the number of Newton steps. Collective.

        Raises
        ------
        SolveError
            On all ranks, if Newton's method does not end.
        """
        for count in range(1, MOST + 1):
            z = self.lift(c)
            rest = self.modes @ (shift * c + offset) - self.rows.rates(z, t)
            slope = shift * self.modes - self.rows.slopes(z, t, self.modes)
            left = self._weighted if self.test == "galerkin" else slope * self.rows.weights[:, None]
            system = self._sum(left.T @ np.column_stack([slope, rest]))
            if not np.isfinite(system).all():
                break
            step = np.linalg.lstsq(system[:, :-1], system[:, -1], rcond=None)[0]
            c -= step
            if np.linalg.norm(step) <= tolerance * (np.linalg.norm(c) + 1e-6):
                return count
        raise SolveError(f"the reduced model did not converge at t = {t:g} s")

    def _sum(self, mine: Array) -> Array:
        found: Array = mine if self.comm is None else self.comm.allreduce(np.ascontiguousarray(mine))
        return found
