"""The preconditioner that PETSc calls: one multigrid cycle on aggregates of the matrix.

    -pc_type python -pc_python_type plexus.solvers.learned.Multigrid

Options, under the solver's prefix: ``-pc_plexus_cycle`` (two_step, v, k), ``-pc_plexus_degree``,
``-pc_plexus_theta``, ``-pc_plexus_passes``, ``-pc_plexus_over_correction``, ``-pc_plexus_bits`` (32, 64).
Block size and near null space are those of the matrix. Rows of a grid are told by a vector of integer cells,
of block size d, that is composed with the matrix as ``plexus_positions``.
"""

from __future__ import annotations

import numpy as np
from petsc4py import PETSc

from plexus.solvers.multigrid.hierarchy import Hierarchy, Settings
from plexus.solvers.multigrid.matrices import of_petsc
from plexus_kernels.native.aggregate import Rows

POSITIONS = "plexus_positions"
"""Name under which a matrix holds the cells of its rows."""


class Multigrid:
    """One cycle from zero. Linear; symmetric and positive definite where the matrix is."""

    def __init__(self) -> None:
        self.hierarchy: Hierarchy | None = None

    def setUp(self, pc: PETSc.PC) -> None:
        """Make the hierarchy of the preconditioner's matrix. Collective.

        Raises
        ------
        ArithmeticError
            If the matrix is not positive definite where a bound was looked for.
        """
        mat = pc.getOperators()[1]
        matrix, places, near = of_petsc(mat), positions(mat), near_null_space(mat)
        settings = read(pc.getOptionsPrefix() or "", mat.getBlockSize(), places is not None)
        if settings.block > 1 and near is None:
            near = np.tile(np.eye(settings.block), (matrix.n // settings.block, 1))
        if near is not None:
            near = near.copy()
            near[standing_alone(matrix.rows)] = 0.0
        self.scale = 1.0 / float(mat.getDiagonal().norm(PETSc.NormType.NORM_INFINITY) or 1.0)
        matrix.rows.val[:] *= self.scale
        self.hierarchy = Hierarchy(matrix, settings, places, near if settings.block > 1 else None)

    def apply(self, pc: PETSc.PC, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Set ``y`` to the cycle's answer for ``x``. Collective."""
        assert self.hierarchy is not None
        size = x.norm(PETSc.NormType.NORM_INFINITY) or 1.0
        out = y.getArray()
        self.hierarchy.cycle.apply(x.getArray(readonly=True), out, 0, (1.0 / size, size * self.scale))

    applyTranspose = apply

    def view(self, pc: PETSc.PC, viewer: PETSc.Viewer) -> None:
        """Print sizes of levels and settings. Collective."""
        if self.hierarchy is not None:
            sizes = " ".join(str(m.size) for m in self.hierarchy.matrices)
            viewer.printfASCII(f"  {self.hierarchy.settings}\n  rows of levels: {sizes}\n")

    def destroy(self, pc: PETSc.PC) -> None:
        """Let go of the hierarchy."""
        self.hierarchy = None


def positions(mat: PETSc.Mat) -> np.ndarray | None:
    """Return the cells of the own rows of a matrix on a grid, (n, d) int64, None elsewhere."""
    found = mat.query(POSITIONS)
    if not found:
        return None
    return np.rint(found.getArray(readonly=True)).astype(np.int64).reshape(-1, found.getBlockSize())


def near_null_space(mat: PETSc.Mat) -> np.ndarray | None:
    """Return the near null space of a matrix on the own rows, (n, k), None where it has none."""
    space = mat.getNearNullSpace()
    if not space.handle:
        return None
    vectors = space.getVecs()
    return np.stack([v.getArray(readonly=True) for v in vectors], axis=1) if vectors else None


def standing_alone(rows: Rows) -> np.ndarray:
    """Return which rows have no entry besides the diagonal, (n,): values are prescribed there."""
    n = len(rows.ptr) - 1
    at = np.repeat(np.arange(n), np.diff(rows.ptr))
    return np.bincount(at, (rows.col != at) & (rows.val != 0), n) == 0


def read(prefix: str, block: int, on_grid: bool) -> Settings:
    """Return the settings in PETSc's options; blocks of a grid are over-corrected, pairs are not."""
    database = PETSc.Options(prefix + "pc_plexus_")
    usual = Settings(over_correction=2.0 if on_grid else 1.0, passes=2 if block == 1 else 4, block=block)
    return Settings(
        degree=database.getInt("degree", usual.degree),
        cycle=database.getString("cycle", usual.cycle),
        theta=database.getReal("theta", usual.theta),
        share=database.getReal("share", usual.share),
        passes=database.getInt("passes", usual.passes),
        over_correction=database.getReal("over_correction", usual.over_correction),
        bits=database.getInt("bits", usual.bits),
        block=block,
    )
