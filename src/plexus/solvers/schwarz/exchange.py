"""What brings vectors to overlapping subdomains and back, with weights whose squares add up to one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
from petsc4py import PETSc


class Exchange:
    """Rows of all ranks as the subdomains of this one have them. Construction is collective.

    Parameters
    ----------
    mat : PETSc.Mat
        Whose rows they are.
    parts : list of (m,) int
        Global rows of each subdomain of this rank.
    """

    def __init__(self, mat: PETSc.Mat, parts: list[np.ndarray]):
        rows = np.concatenate([np.empty(0, PETSc.IntType), *parts])
        ends = np.cumsum([0, *map(len, parts)])
        self._outside, self._all = mat.createVecRight(), PETSc.Vec().createSeq(len(rows))
        index = PETSc.IS().createGeneral(rows, comm=PETSc.COMM_SELF)
        self._scatter = PETSc.Scatter().create(self._outside, index, self._all, None)
        index.destroy()
        self._slices = [slice(*both) for both in pairwise(ends)]
        self._pieces = [PETSc.Vec().createSeq(len(part)) for part in parts]
        self._all.set(1.0)
        self._back(self._outside)
        often = self._outside.getArray().copy()
        self._weights = 1 / np.sqrt(self._taken(often))

    def _taken(self, values: np.ndarray) -> np.ndarray:
        """Return numbers of the own rows, (n,), where the subdomains have them, in a row. Collective."""
        self._outside.setArray(values)
        self._scatter.scatter(self._outside, self._all)
        return np.array(self._all.getArray(readonly=True))

    def _back(self, y: PETSc.Vec) -> None:
        """Set ``y`` to the sum of what the subdomains have. Collective."""
        y.set(0.0)
        self._scatter.scatter(self._all, y, addv=PETSc.InsertMode.ADD, mode=PETSc.ScatterMode.REVERSE)

    def columns(self, values: np.ndarray) -> list[np.ndarray]:
        """Return rows of numbers, (n, k), of each subdomain of this rank. Collective."""
        found = np.stack([self._taken(column) for column in values.astype(float).T], axis=1)
        return [found[part] for part in self._slices]

    @contextmanager
    def within(self, x: PETSc.Vec, y: PETSc.Vec) -> Iterator[list[PETSc.Vec]]:
        """Give the weighted parts of ``x`` away, and set ``y`` to the sum of what they became. Collective."""
        self._scatter.scatter(x, self._all)
        values = self._all.getArray()
        values *= self._weights
        for piece, part in zip(self._pieces, self._slices, strict=True):
            piece.setArray(values[part])
        yield self._pieces
        for piece, part in zip(self._pieces, self._slices, strict=True):
            values[part] = piece.getArray(readonly=True)
        values *= self._weights
        self._back(y)

    def destroy(self) -> None:
        """Free the vectors. Collective."""
        for held in (self._outside, self._all, self._scatter, *self._pieces):
            held.destroy()
