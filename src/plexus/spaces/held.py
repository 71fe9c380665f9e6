"""Combinations of the unknowns of a node that are prescribed, taken out of residual and matrix.

    F ← (I - Π) F,    K ← (I - Π) K (I - Π) + s Π

Π_i projects onto the combinations that are prescribed at node i. K stays symmetric, and s of the size of K_ii
keeps rounding in the held directions as small as in the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Held:
    """Nodes (k,), ghosts included and ascending, and their projectors Π (k, m, m); ``n_owned`` own nodes."""

    nodes: np.ndarray
    projectors: np.ndarray
    n_owned: int

    def within(self, m: int, first: int) -> Held:
        """Return the same for a block of ``m`` components, among which this field's begin at ``first``."""
        wide = np.zeros((len(self.nodes), m, m))
        last = first + self.projectors.shape[1]
        wide[:, first:last, first:last] = self.projectors
        return Held(self.nodes, wide, self.n_owned)

    def release(self, rows: np.ndarray) -> None:
        """Take the held combinations out of the rows (n_owned, m) of a residual."""
        own = self.nodes < self.n_owned
        here = self.nodes[own]
        rows[here] -= np.einsum("kij,kj->ki", self.projectors[own], rows[here])

    def part(self, array: np.ndarray) -> np.ndarray:
        """Return the held combinations of a field array (n_local, m), (k, m)."""
        return np.einsum("kij,kj->ki", self.projectors, array[self.nodes])

    def put(self, array: np.ndarray, part: np.ndarray) -> None:
        """Give a field array (n_local, m) the held combinations ``part`` (k, m)."""
        array[self.nodes] += part - self.part(array)

    def elimination(self, rows: np.ndarray, cols: np.ndarray, n_local: int) -> Callable[[np.ndarray], None]:
        """Return what takes them out of blocks (p, m, m) of pairs (rows, cols) of local nodes."""
        number = np.full(n_local, -1)
        number[self.nodes] = np.arange(len(self.nodes))
        left, right = np.flatnonzero(number[rows] >= 0), np.flatnonzero(number[cols] >= 0)
        same = left[rows[left] == cols[left]]
        free = np.eye(self.projectors.shape[1]) - self.projectors

        def eliminate(values: np.ndarray) -> None:
            size = np.abs(np.einsum("kaa->ka", values[same])).mean(axis=1)
            values[left] = np.einsum("kij,kjl->kil", free[number[rows[left]]], values[left])
            values[right] = np.einsum("kij,kjl->kil", values[right], free[number[cols[right]]])
            scale = np.where(size > 0, size, 1.0)[:, None, None]
            values[same] += scale * self.projectors[number[rows[same]]]

        return eliminate


def joined(parts: list[Held]) -> Held | None:
    """Return the nodes of the fields of a block, each within its components, as one; None without any."""
    if not parts:
        return None
    nodes = np.unique(np.concatenate([part.nodes for part in parts]))
    projectors = np.zeros((len(nodes), *parts[0].projectors.shape[1:]))
    for part in parts:
        projectors[np.searchsorted(nodes, part.nodes)] += part.projectors
    return Held(nodes, projectors, parts[0].n_owned)
