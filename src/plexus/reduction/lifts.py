"""Prescribed values of a reduced model: u = Σ_k a_k(t) ℓ_k(x) + Σ_j γ_j ψ_j(x).

ℓ_k has one shape of what is prescribed where it is, and is in elastic equilibrium elsewhere
(`plexus.reduction.responses.Elastic.lifted`); the modes ψ_j are zero where values are prescribed. As long as
a body is elastic and its moduli do not change, Σ a_k ℓ_k is all that what is prescribed does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from plexus.reduction.separation import Separated

if TYPE_CHECKING:
    from plexus.coupling.system import System

Array = np.ndarray


class Lifts:
    """What is prescribed as a sum of fields. Construction is collective.

    Parameters
    ----------
    full : System
        The full model.
    name : str
        Its unknown.
    times : sequence of float
        When prescribed values are sampled for their shapes [s].

    Attributes
    ----------
    fields : array (n_local, m, K)
        ℓ_k at the nodes, ghosts included.
    missing : float
        Share of what is prescribed that the fields do not have.
    """

    def __init__(self, full: System, name: str, times: Sequence[float]):
        self.full, self.name, self.space = full, name, full.spaces[name]
        self.comm = self.space.comm
        self.parts = Separated(self.comm, f"what is prescribed of {name}", self._sample, self._few, times)
        self.sizes = self.parts.sizes / len(times) ** 0.5
        """Root mean square of each amplitude, (K,)."""
        self.fields = np.zeros((self.space.n_local, self.space.components, 0))
        self.missing = 0.0
        self._latest: tuple[float, Array] = np.nan, np.zeros(self.count)

    @property
    def count(self) -> int:
        """K; zero where only zero is prescribed."""
        return self.parts.rank

    def _sample(self, t: float) -> Array:
        """Return what is prescribed at all own nodes, zero elsewhere, flat."""
        u = self.space.zeros()
        self.full.prescribe(self.name, t, u)
        return u[: self.space.n_owned].ravel()

    def _few(self, indices: Array) -> Callable[[Array], Array]:
        """Return some of these values as a function of times."""
        nodes, components = np.divmod(indices, self.space.components)
        known, rows = self.full.prescribed[self.name].few(nodes), np.arange(len(nodes))
        return lambda times: np.stack([known(float(t))[rows, components] for t in times], axis=1)

    def settle(self, known: Array) -> None:
        """Make the fields of those of a model (n_local, m, L), as far as they go. Collective."""
        shapes, n = self.parts.shapes, self.space.n_owned
        fixed = self.full.prescribed[self.name].fixed[:n]
        traces = np.where(fixed[:, :, None], known[:n], 0.0).reshape(fixed.size, known.shape[2])
        products = self.comm.allreduce(traces.T @ np.column_stack([traces, shapes]))
        shares = np.linalg.pinv(products[:, : known.shape[2]]) @ products[:, known.shape[2] :]
        self.fields = known @ shares
        rest = self.comm.allreduce((((shapes - traces @ shares) * self.sizes) ** 2).sum())
        whole = float((self.sizes**2).sum())
        self.missing = float((rest / whole) ** 0.5) if whole > 0 else 0.0

    def over(self, times: Array) -> Array:
        """Return a(t), (T, K). Collective.

        Raises
        ------
        SolveError
            On all ranks, if what is prescribed has a shape that it had at no sampled time.
        """
        if not self.count:
            return np.zeros((len(times), 0))
        return self.parts.amplitudes(times, self.comm.allreduce(self.parts.local(times))).T

    def at(self, t: float) -> Array:
        """Return a(t) at one time, (K,). Collective."""
        if self._latest[0] != t:
            self._latest = t, self.over(np.array([t]))[0]
        return self._latest[1]

    @property
    def latest(self) -> Array:
        """The amplitudes at the time that was last asked for, (K,)."""
        return self._latest[1]

    def field(self, t: float) -> Array:
        """Return Σ a_k ℓ_k at all nodes, (n_local, m). Collective."""
        return np.asarray(self.fields @ self.at(t))
