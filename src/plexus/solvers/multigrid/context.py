"""The preconditioner that PETSc calls: one multigrid cycle on aggregates of the matrix.

    -pc_type python -pc_python_type plexus.solvers.learned.Multigrid

Options, under the solver's prefix: ``-pc_plexus_cycle`` (two_step, v, k), ``-pc_plexus_degree``,
``-pc_plexus_theta``, ``-pc_plexus_passes``, ``-pc_plexus_over_correction``, ``-pc_plexus_bits`` (16, 32, 64),
``-pc_plexus_gathered`` (rows up to which every rank goes on with the whole matrix),
``-pc_plexus_reuse`` (keep the pairs of a matrix for the next one with its pattern),
``-pc_plexus_backend`` (compiled, petsc: built of PETSc's own objects), ``-pc_plexus_bundle`` (`watched`).
Block size and near null space are those of the matrix. Rows of a grid are told by a vector of integer cells,
of block size d, that is composed with the matrix as ``plexus_positions``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from mpi4py import MPI
from petsc4py import PETSc

from plexus.errors import InputError
from plexus.solvers.capi import fail
from plexus.solvers.multigrid import POSITIONS, options
from plexus.solvers.multigrid.hierarchy import Hierarchy, Settings
from plexus.solvers.multigrid.matrices import Matrix, of_petsc, standing_alone
from plexus.solvers.multigrid.nested import build
from plexus.solvers.multigrid.vectors import near_of

FAR = 1e12
"""Largest diagonal entry, and one over it, of a matrix that is taken as it is."""
WIDE, WIDEST = 1e10, 1e30
"""Ratios of diagonal entries, of coupled rows and of any, from which on single precision loses small ones."""


class Multigrid:
    """One cycle from zero. Linear; symmetric and positive definite where the matrix is.

    Attributes
    ----------
    hierarchy : of the matrix of the last `setUp`; None where that has failed.
    refused : why it has; empty else.
    nested : the cycle of PETSc's own objects, if options ask for them; None else.
    """

    alone = True
    """Whether nothing else is made from the hierarchy."""
    refused = ""

    def __init__(self) -> None:
        self.hierarchy: Hierarchy | None = None
        self.nested: PETSc.PC | None = None

    def setUp(self, pc: PETSc.PC) -> None:
        """Make the hierarchy of the preconditioner's matrix, or fail where it is not definite. Collective."""
        mat = pc.getOperators()[1]
        matrix = of_petsc(mat)
        diagonal = mat.getDiagonal()
        largest, smallest = diagonal.max()[1], diagonal.min()[1]
        diagonal.destroy()
        before = self.hierarchy
        self._free()
        self.refused = ""
        # numbers far from one would leave the range of single precision
        self.scale = 1.0 / largest if largest > 0 and not 1 / FAR < largest < FAR else 1.0
        if self.scale != 1.0:
            matrix.rows = matrix.rows._replace(val=matrix.rows.val * self.scale)
        try:
            if not 0 < smallest <= largest < np.inf:
                raise ArithmeticError(f"the diagonal lies in [{smallest:.3g}, {largest:.3g}]")
            prefix = pc.getOptionsPrefix() or ""
            wide = _wide(matrix, smallest * self.scale, largest * self.scale)
            self.hierarchy = self._make(prefix, mat, matrix, wide, before)
            if self.hierarchy.settings.gathered == 0:
                self.nested = build(self.hierarchy, mat, self.scale)
            if self.alone:
                _ = self.hierarchy.cycle  # what is wrong with its bounds shows here
        except ArithmeticError as error:
            self.refused = f"the matrix is not positive definite, {error}"
            self._free()
            fail(pc)

    def _make(
        self, prefix: str, mat: PETSc.Mat, matrix: Matrix, wide: bool, before: Hierarchy | None
    ) -> Hierarchy:
        """Return the hierarchy of a matrix with what its PETSc form says of nodes and places. Collective."""
        places, block = positions(mat), mat.getBlockSize()
        settings = options.read(prefix, block, places is not None)
        # PETSc's own objects and networks are made from the matrices of a hierarchy
        bits = 64 if wide else settings.bits
        settings = replace(settings, bits=bits, lean=self.alone and settings.gathered > 0)
        # blocks of a grid are found faster than they are compared
        reuse = places is None and PETSc.Options(prefix + "pc_plexus_").getBool("reuse", True)
        _ = reuse and matrix.pattern  # before the hierarchy lets go of the entries
        like = before if reuse and before is not None and _alike(before, settings, matrix) else None
        if block == 1:
            return Hierarchy(matrix, settings, places, like=like)
        return Hierarchy(matrix, settings, places, near_of(matrix, block, near_null_space(mat)), like)

    def apply(self, pc: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Set ``y`` to the cycle's answer for ``x``. Collective."""
        if self.hierarchy is None:
            # some Krylov methods ask on, and see by this that the set-up has failed
            y.set(np.inf)
            return
        if self.nested is not None:
            self.nested.apply(x, y)
            return
        self.answer(self.hierarchy, x, y)

    applyTranspose = apply

    def answer(self, hierarchy: Hierarchy, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Set ``y`` to the answer of a hierarchy's cycle for ``x``. Collective."""
        size = x.norm(PETSc.NormType.NORM_INFINITY) or 1.0
        out = y.getArray()
        hierarchy.cycle.apply(x.getArray(readonly=True), out, 0, (1.0 / size, size * self.scale))

    def view(self, pc: PETSc.PC, viewer: PETSc.Viewer) -> None:
        """Print sizes of levels and settings. Collective."""
        if self.hierarchy is not None:
            sizes = " ".join(str(m.size) for m in self.hierarchy.matrices)
            viewer.printfASCII(f"  {self.hierarchy.settings}\n  rows of levels: {sizes}\n")

    def destroy(self, pc: PETSc.PC) -> None:
        """Let go of the hierarchy. Collective."""
        self._free()

    def _free(self) -> None:
        self.hierarchy = None
        if self.nested is not None:
            self.nested.destroy()
            self.nested = None


def _wide(matrix: Matrix, smallest: float, largest: float) -> bool:
    """Return whether the diagonal asks for double precision. Collective."""
    if not WIDE * smallest < largest <= WIDEST * smallest:
        return largest > WIDEST * smallest
    # prescribed values stand alone, with ones on the diagonal of whatever matrix
    coupled = matrix.diagonal[: matrix.n][~standing_alone(matrix)]
    low = matrix.comm.allreduce(float(coupled.min(initial=np.inf)), MPI.MIN)
    return bool(matrix.comm.allreduce(float(coupled.max(initial=0.0)), MPI.MAX) > WIDE * low)


def _alike(before: Hierarchy, settings: Settings, matrix: Matrix) -> bool:
    """Return whether a hierarchy was made as this one will be, of such a matrix. Collective."""
    return replace(before.settings, lean=settings.lean) == settings and matrix.like(before.matrices[0])


def positions(mat: PETSc.Mat) -> np.ndarray | None:
    """Return the cells of the own nodes of a matrix on a grid, (n, d) int32, None elsewhere. Collective.

    Raises
    ------
    InputError
        If there are not as many of them as nodes.
    """
    found = mat.query(POSITIONS)
    if not found:
        return None
    d, nodes = found.getBlockSize(), mat.getLocalSize()[0] // mat.getBlockSize()
    numbers = found.getArray(readonly=True)
    if not all(mat.comm.tompi4py().allgather(len(numbers) == nodes * d)):
        size = found.getSize()
        raise InputError(f"{POSITIONS}: {size} numbers are no cells of this matrix in {d} dimensions")
    places = numbers.astype(np.int32).reshape(-1, d)
    found.destroy()
    return places


def near_null_space(mat: PETSc.Mat) -> np.ndarray | None:
    """Return the near null space of a matrix on the own rows, (n, k), None where it has none."""
    space = mat.getNearNullSpace()
    if not space.handle:
        return None
    vectors = space.getVecs()
    found = np.stack([v.getArray(readonly=True) for v in vectors], axis=1) if vectors else None
    for held in (*vectors, space):
        held.destroy()
    return found
