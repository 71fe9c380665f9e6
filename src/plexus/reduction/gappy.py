"""Fields that are known at few points: reconstruction by a basis, and what it misses there.

    z = argmin |Φ_s z - p_s|,    p ≈ Φ z,    e_G = |p_s - Φ_s z|/|p_s|

Φ are modes of a memory variable at all quadrature points, Φ_s their rows at the points of the cubature (R.
Everson, L. Sirovich, J. Opt. Soc. Am. A 12 (1995) 1657, doi:10.1364/JOSAA.12.001657). Points that determine z
come from a QR factorisation of Φᵀ with pivots (Z. Drmač, S. Gugercin, SIAM J. Sci. Comput. 38 (2016) A631,
doi:10.1137/15M1019271). e_G costs nothing that depends on the mesh; it grows with what the basis does not
have (F. Casenave, N. Akkari, Math. Comput. Appl. 24 (2019) 41, doi:10.3390/mca24020041).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.reduction.points import ReducedPoints

Array = np.ndarray
DEPENDENT = 1e-10
"""Singular value of Φ_s, relative to the largest, below which points do not determine the basis."""
FLOORS = 1e-4, 1e-3
"""Least and largest share of the training's largest root mean square below which e_G is relative to that."""
CANCELLED = 1e-8
"""Share of |p|² below which a difference of squares has lost too many digits to be one's distance."""


def floor(facts: Mapping[str, Any], name: str) -> float:
    """Return the root mean square of a variable below which e_G is relative to it, by the facts of a model.

    Nothing is fitted that is as small as what a basis leaves out. Far above that small values count in full:
    where a body begins to flow between the points, they see little of it. Files of before do not tell.
    """
    least, most = FLOORS
    share = min(max(100.0 * facts.get("memory_tolerance", most), least), most)
    return share * float(facts["largest"][name])


def pivots(comm: Comm, modes: Array, names: Array) -> Array:
    """Return names of as many points as there are modes (k here, n), by pivoted QR. Collective."""
    rest, chosen = modes.copy(), list[int]()
    for _ in range(modes.shape[1]):
        sizes = np.einsum("kn,kn->k", rest, rest)
        best = int(np.argmax(sizes)) if len(sizes) else -1
        bid = (float(sizes[best]), -int(names[best])) if best >= 0 else (-1.0, 0)
        offer, owner = max((value, -rank) for rank, value in enumerate(comm.allgather(bid)))
        row: Array = comm.bcast(rest[best] if comm.rank == -owner else None, -owner)
        chosen.append(-offer[1])
        unit = row / np.linalg.norm(row)
        rest = rest - np.outer(rest @ unit, unit)
    return np.unique(np.array(chosen, dtype=np.int64))


class Gappy:
    """A basis of one variable and its rows at the points of a cubature. Construction is collective.

    Parameters
    ----------
    modes : array (own points, c, n)
        Modes at the quadrature points of own cells.
    points : ReducedPoints
        Where the variable is known.

    Raises
    ------
    InputError
        If the points do not determine the basis.
    """

    def __init__(self, name: str, modes: Array, points: ReducedPoints):
        self.name, self.points, self.comm = name, points, points.comm
        size = np.sqrt(self.comm.allreduce(np.einsum("kcn,kcn->n", modes, modes)))
        self.modes = modes / np.where(size > 0, size, 1.0)
        self.width = modes.shape[1]
        own = self.modes[points.rows].reshape(points.n_owned, self.width * modes.shape[2])
        self.known = self.gathered(own).reshape(-1, modes.shape[2])
        self.q, self.r = np.linalg.qr(self.known)
        values = np.linalg.svd(self.r, compute_uv=False)
        if len(values) < modes.shape[2] or values.min(initial=np.inf) <= DEPENDENT * values.max(initial=0.0):
            raise InputError(f"rom: the points do not determine the basis of {name}")

    def gathered(self, rows: Array) -> Array:
        """Return rows (own points, k) of all ranks, in the order of the names. Collective."""
        whole = np.zeros((self.points.n_global, rows.shape[1]))
        whole[self.points.places] = rows
        if self.comm.size > 1:
            whole = self.comm.allreduce(whole)
        return whole

    def missed(self, rows: Array, floor: float) -> float:
        """Return e_G of values (own points, c); below ``floor`` relative to that. Collective.

        ``floor`` is a root mean square. As Q is orthonormal, |p - Q Qᵀ p|² = |p|² - |Qᵀ p|², where that does
        not cancel.
        """
        p = self.gathered(rows).ravel()
        fit, size = self.q.T @ p, float(p @ p)
        left = size - float(fit @ fit)
        if left <= CANCELLED * size:
            rest = p - self.q @ fit
            left = float(rest @ rest)
        size = max(size, floor**2 * len(p))
        return float((left / size) ** 0.5) if size > 0 else 0.0

    def reconstructed(self, rows: Array) -> Array:
        """Return the variable at own quadrature points (k, c), of its values at the points. Collective."""
        z = np.linalg.solve(self.r, self.q.T @ self.gathered(rows).ravel())
        found: Array = self.modes @ z
        return found
