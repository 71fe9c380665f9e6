"""The rows of a linear system as a PETSc matrix that knows blocks and places of its unknowns."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from petsc4py import PETSc

from plexus.errors import InputError
from plexus.solvers.multigrid import POSITIONS

if TYPE_CHECKING:
    from plexus.protocols import LinearSystem
    from plexus.spaces.systems import SystemSpace


class SystemMatrix:
    """The matrix of one time. Construction is collective.

    Attributes
    ----------
    mat : the distributed matrix; block size = components, `POSITIONS` composed where blocks stand on a grid.
    watch : without meaning, the values never change.

    Raises
    ------
    InputError
        If PETSc cannot number the unknowns.
    """

    watch = False

    def __init__(self, space: SystemSpace, system: LinearSystem, definite: bool):
        m, index = space.components, PETSc.IntType
        most = max(space.n_global * m, len(system.values))
        if most > np.iinfo(index).max:
            raise InputError(f"physics.problem: {most} unknowns or entries need a PETSc with 64-bit indices")
        rows = system.pointer.astype(index), system.columns.astype(index), system.values
        self.mat = PETSc.Mat().createAIJ(
            ((space.n_owned * m, space.n_global * m),) * 2, bsize=m, csr=rows, comm=space.comm
        )
        self.mat.assemble()
        if definite:
            self.mat.setOption(PETSc.Mat.Option.SPD, True)
        self._place(space)

    def _place(self, space: SystemSpace) -> None:
        """Compose the cells of the own blocks with the matrix. Collective."""
        positions = space.layout.positions
        if positions is None:
            return
        d = positions.shape[1]
        places = PETSc.Vec().createMPI((space.n_owned * d, space.n_global * d), bsize=d, comm=space.comm)
        places.setArray(positions.ravel().astype(float))
        self.mat.compose(POSITIONS, places)
        places.destroy()

    def destroy(self) -> None:
        """Let go of matrix and vectors; solvers that hold the matrix keep it. Collective."""
        for made in (self.mat, *vars(self).get("work", ())):
            made.destroy()

    @cached_property
    def work(self) -> tuple[PETSc.Vec, PETSc.Vec]:
        """Two vectors."""
        x, y = self.mat.createVecs()
        return x, y


def asymmetry(mat: PETSc.Mat, system: LinearSystem) -> tuple[float, int, int]:
    """Return the largest |a_ij - a_ji| with its row and column, counted from zero. Collective.

    It is relative to the geometric mean of the largest entries of rows i and j. ``system`` has the entries.
    """
    sizes = np.zeros(len(system.rhs))
    np.maximum.at(sizes, np.repeat(np.arange(len(sizes)), np.diff(system.pointer)), np.abs(system.values))
    scale, other = mat.createVecLeft(), PETSc.Mat()
    # an empty row has nothing that differs
    scale.setArray(1 / np.sqrt(np.where(sizes > 0, sizes, 1.0)))
    mat.transpose(other)
    other.axpy(-1.0, mat, PETSc.Mat.Structure.DIFFERENT_NONZERO_PATTERN)
    other.diagonalScale(scale, scale)
    pointer, columns, values = other.getValuesCSR()
    found = (0.0, 0, 0)
    if len(values):
        k = int(np.argmax(np.abs(values)))
        row = other.getOwnershipRange()[0] + int(np.searchsorted(pointer, k, side="right")) - 1
        found = (float(abs(values[k])), row, int(columns[k]))
    other.destroy()
    scale.destroy()
    return max(mat.comm.tompi4py().allgather(found))
