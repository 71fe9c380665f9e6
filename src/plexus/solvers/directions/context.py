"""The preconditioner that PETSc calls: a network's answer to the residual on the box of cells, watched.

    q = f(r),   taken if (q·r)²/q·A q ≥ 0.99 (r·r)²/r·A r, else r

The numbers are what one step along q, and along r, would take off the squared energy norm of the error, so
that no answer does less than the residual does. Rows are told their cells by the vector
``plexus_positions`` of the matrix; the box has zeros elsewhere. Every rank has the residual of the whole
box, and keeps its own part of the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.errors import InputError
from plexus.solvers.directions.watch import Watch
from plexus.solvers.multigrid.context import positions

if TYPE_CHECKING:
    from petsc4py import PETSc

ENOUGH = 0.99
"""Gain of an answer beside that of the residual; what is missing to one is rounding of single precision."""
MOST = 128**3
"""Cells of a box that several ranks have each."""


class Directions:
    """A network as a preconditioner; varies from one application to the next.

    Attributes
    ----------
    part : what counts; the run judges it.
    """

    def __init__(self, path: str, sha256: str | None = None, device: str = "cpu", network: Any = None):
        self.part, self.network = Watch(), network
        self._from = path, sha256, device
        self._work: list[PETSc.Vec] = []

    def setUp(self, pc: PETSc.PC) -> None:
        """Load the network at the first time, and learn where rows lie. Collective.

        Raises
        ------
        InputError
            If the bundle is unsound, or the matrix is none on the cells of a grid in space.
        """
        import torch

        mat = pc.getOperators()[0]
        if self.network is None:
            from plexus.solvers.directions import bundle

            path, sha256, device = self._from
            self.network = bundle.load(path, sha256, mat.comm.tompi4py()).to(device)
        cells = self._cells(mat)
        self.shape = tuple(int(n) for n in cells.max(axis=0) + 1)
        self._flat = torch.from_numpy(np.ravel_multi_index(tuple(cells.T), self.shape))
        self.destroy(pc)
        self._work = [mat.createVecRight()]

    def _cells(self, mat: PETSc.Mat) -> np.ndarray:
        """Return the cells of all rows, (n, 3). Collective."""
        comm, own = mat.comm.tompi4py(), positions(mat)
        if own is None or own.shape[1] != 3 or mat.getBlockSize() > 1:
            raise InputError("directions: the matrix is none of the cells of a grid in space")
        self._sizes = comm.allgather(len(own))
        cells = np.concatenate(comm.allgather(own))
        count = int(np.prod(cells.max(axis=0) + 1))
        if comm.size > 1 and count > MOST:
            raise InputError(
                f"directions: every rank would hold a box of {count} cells, {MOST} are the most: use one rank"
            )
        return cells

    def apply(self, pc: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Set ``y`` to a direction for the residual ``x``. Collective."""
        size = float(x.norm())
        x.copy(y)
        if self.part.tired or not 0 < size < np.inf:
            return
        self.part.begin()
        y.setArray(self._answer(x, size))
        reason = self._wrong(pc.getOperators()[0], x, y)
        if reason is None:
            self.part.well()
            return
        self.part.leave(reason)
        x.copy(y)

    def _answer(self, x: PETSc.Vec, size: float) -> np.ndarray:
        """Return the network's answer in the own rows. Collective."""
        import torch

        comm, first = x.comm.tompi4py(), x.getOwnershipRange()
        whole = np.empty(sum(self._sizes))
        comm.Allgatherv(x.getArray(readonly=True), [whole, self._sizes])
        like = next(self.network.parameters())
        box = like.new_zeros(int(np.prod(self.shape)))
        box[self._flat.to(like.device)] = torch.from_numpy(whole / size).to(like)
        with torch.no_grad():
            found = self.network(box.reshape(1, *self.shape)).flatten()
        return found.cpu().double().numpy()[self._flat.numpy()[slice(*first)]]

    def _wrong(self, mat: PETSc.Mat, r: PETSc.Vec, q: PETSc.Vec) -> str | None:
        """Return why an answer will not do, None where it will. Collective."""
        along = float(q.dot(r))
        if not np.isfinite(along):
            return "answers that are no numbers"
        if along == 0:
            return "answers that do not descend"
        (w,) = self._work
        mat.mult(q, w)
        energy = float(q.dot(w))
        mat.mult(r, w)
        if not along**2 * float(r.dot(w)) >= ENOUGH * float(r.dot(r)) ** 2 * energy or not energy > 0:
            return "answers that gain less than the residual"
        return None

    def destroy(self, pc: PETSc.PC) -> None:
        """Free what belongs to a matrix. Collective."""
        while self._work:
            self._work.pop().destroy()
