"""One step of a reduced model: Newton's method for the coordinates, with the law at the reduced points.

    r_j = Σ_k w_k σ(Σ_i γ_i E_i(x_k) + ε_0(x_k, t)) : E_j(x_k) + f_j(t) = 0

Symbols as in `plexus.coupling.reduced`. Ranks add up what their points contribute, one reduction per
iteration.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import SolveError

if TYPE_CHECKING:
    from plexus.coupling.reduced import ReducedSystem
    from plexus.protocols import Instant

Array = np.ndarray
MOST = 50
"""Newton steps after which a solve has failed."""


class Step:
    """One instant: strain without displacement, data and memory at the points of this rank."""

    def __init__(self, system: ReducedSystem, at: Instant, before: Mapping[str, Array]):
        self.system, self.at = system, at
        sites, equation = system.sites, system.equation
        p = sites.batch(at.t, system.given)
        heated = equation.heated(p)
        names = {n: heated.fields[n] for n in heated.fields if n != system.name}
        rows = {n: before[n][:, None] if s.components > 1 else before[n] for n, s in system.points.items()}
        self.point = sites.view(p, names, dt=at.dt, before=rows)
        self.offset = sites.pick(equation.strain_of(p))
        self.weights = system.model.points.weights

    def solve(self, g: Array) -> tuple[Array, int]:
        """Return the coordinates at the end of the step and the number of Newton steps. Collective.

        Raises
        ------
        SolveError
            On all ranks, if Newton's method does not end.
        """
        f = self.system.loads.at(self.at.t)
        scale, first = float(np.linalg.norm(f)), None
        for count in range(MOST):
            r, k = self.residual(g)
            r = r + f
            size = float(np.linalg.norm(r))
            first = size if first is None else first
            if not np.isfinite(size):
                break
            if size <= self.system.tolerance * max(scale, first, 1e-300):
                return g, count
            g = g - np.linalg.solve(k, r)
        raise SolveError(
            f"{self.system.name}: the reduced model did not converge at t = {self.at.t:g} s "
            f"(residual {size:.3g})"
        )

    def residual(self, g: Array) -> tuple[Array, Array]:
        """Return Σ w σ:E and its slope, over all ranks. Collective."""
        e, n = self.system.model.strains, len(g)
        answer = self.system.equation.law.respond(self.point, self._strain(g), tangent=True)
        stress = answer.stress.reshape(-1, 9) * self.weights[:, None]
        slope = np.asarray(answer.tangent).reshape(-1, 9, 9) * self.weights[:, None, None]
        force = np.einsum("ka,kan->n", stress, e)
        stiffness = np.einsum("kam,kan->mn", e, np.einsum("kab,kbn->kan", slope, e))
        total = self.system.comm.allreduce(np.concatenate([force, stiffness.ravel()]))
        return total[:n], total[n:].reshape(n, n)

    def memory(self, g: Array) -> dict[str, Array]:
        """Return the memory at the end of the step, rows of the points of this rank."""
        found = self.system.equation.law.respond(self.point, self._strain(g), memory=True).memory
        return {n: np.ascontiguousarray(a.reshape(len(self.weights), -1)) for n, a in found.items()}

    def _strain(self, g: Array) -> Array:
        """Return the strain, (s, 1, 3, 3)."""
        e = self.system.model.strains @ g
        return np.ascontiguousarray(e.reshape(-1, 1, 3, 3) + self.offset)
