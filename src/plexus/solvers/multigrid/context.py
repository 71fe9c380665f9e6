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
from petsc4py import PETSc

from plexus.solvers import shipped
from plexus.solvers.capi import fail
from plexus.solvers.multigrid import POSITIONS, bundle
from plexus.solvers.multigrid.hierarchy import Hierarchy, Settings
from plexus.solvers.multigrid.matrices import Matrix, of_petsc
from plexus.solvers.multigrid.nested import build
from plexus_kernels.native.aggregate import Rows

FAR = 1e12
"""Largest diagonal entry, and one over it, of a matrix that is taken as it is."""


class Multigrid:
    """One cycle from zero. Linear; symmetric and positive definite where the matrix is."""

    alone = True
    """Whether nothing else is made from the hierarchy."""

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
        # numbers far from one would leave the range of single precision
        self.scale = 1.0 / largest if largest > 0 and not 1 / FAR < largest < FAR else 1.0
        if self.scale != 1.0:
            matrix.rows = matrix.rows._replace(val=matrix.rows.val * self.scale)
        try:
            if not 0 < smallest <= largest < np.inf:
                raise ArithmeticError(f"the diagonal lies in [{smallest:.3g}, {largest:.3g}]")
            prefix = pc.getOptionsPrefix() or ""
            self.hierarchy = self._make(prefix, mat, matrix, before)
            if self.hierarchy.settings.gathered == 0:
                self.nested = build(self.hierarchy, mat, self.scale)
            if self.alone:
                _ = self.hierarchy.cycle  # what is wrong with its bounds shows here
        except ArithmeticError:
            self._free()
            fail(pc)

    def _make(self, prefix: str, mat: PETSc.Mat, matrix: Matrix, before: Hierarchy | None) -> Hierarchy:
        """Return the hierarchy of a matrix with what its PETSc form says of nodes and places. Collective."""
        places, block = positions(mat), mat.getBlockSize()
        settings = read(prefix, block, places is not None)
        # PETSc's own objects and networks are made from the matrices of a hierarchy
        settings = replace(settings, lean=self.alone and settings.gathered > 0)
        # blocks of a grid are found faster than they are compared
        reuse = places is None and PETSc.Options(prefix + "pc_plexus_").getBool("reuse", True)
        _ = reuse and matrix.pattern  # before the hierarchy lets go of the entries
        like = before if reuse and before is not None and matrix.like(before.matrices[0]) else None
        if block == 1:
            return Hierarchy(matrix, settings, places, like=like)
        near = near_null_space(mat)
        if near is None:
            near = np.tile(np.eye(block), (matrix.n // block, 1))
        near[standing_alone(matrix.rows)] = 0.0
        return Hierarchy(matrix, settings, places, near, like)

    def apply(self, pc: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Set ``y`` to the cycle's answer for ``x``. Collective."""
        assert self.hierarchy is not None
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


def positions(mat: PETSc.Mat) -> np.ndarray | None:
    """Return the cells of the own rows of a matrix on a grid, (n, d) int32, None elsewhere."""
    found = mat.query(POSITIONS)
    if not found:
        return None
    places = found.getArray(readonly=True).astype(np.int32).reshape(-1, found.getBlockSize())
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


def standing_alone(rows: Rows) -> np.ndarray:
    """Return which rows have no entry besides the diagonal, (n,): values are prescribed there."""
    n = len(rows.ptr) - 1
    at = np.repeat(np.arange(n), np.diff(rows.ptr))
    return np.bincount(at, (rows.col != at) & (rows.val != 0), n) == 0


def named(prefix: str) -> str | None:
    """Return the file of the bundle that PETSc's options name, None without one."""
    name = PETSc.Options(prefix + "pc_plexus_").getString("bundle", "")
    return str(shipped.found("learned_multigrid", name) or name) or None


def read(prefix: str, block: int, on_grid: bool) -> Settings:
    """Return the settings in PETSc's options; blocks of a grid are over-corrected, pairs are not."""
    database = PETSc.Options(prefix + "pc_plexus_")
    backend = database.getString("backend", "compiled")
    bundled = named(prefix)
    trained = {} if bundled is None else bundle.trained_for(bundled)
    usual = Settings(over_correction=2.0 if on_grid else 1.0, passes=2 if block == 1 else 3, block=block)
    return Settings(
        degree=database.getInt("degree", trained.get("degree", usual.degree)),
        cycle=database.getString("cycle", trained.get("cycle", usual.cycle)),
        theta=database.getReal("theta", usual.theta),
        share=database.getReal("share", usual.share),
        passes=database.getInt("passes", usual.passes),
        over_correction=database.getReal("over_correction", usual.over_correction),
        bits=database.getInt("bits", usual.bits),
        block=block,
        gathered=0 if backend == "petsc" else database.getInt("gathered", usual.gathered),
    )
