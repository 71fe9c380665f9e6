"""What a training and its validation do with a problem: its system on one process, a hierarchy, a solve."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from mpi4py import MPI

from plexus.solvers.multigrid.hierarchy import Hierarchy, Settings, usual_for
from plexus.solvers.multigrid.learned import Learned
from plexus.solvers.multigrid.matrices import Matrix, local
from plexus.solvers.multigrid.network import Network
from plexus.solvers.multigrid.vectors import near_of
from plexus_kernels.native.multigrid import Cycle, Level

if TYPE_CHECKING:
    from plexus.protocols import Problem

RTOL, MOST = 1e-6, 200
"""Reduction of the residual that is counted unless another is asked for, and steps at most."""


class Whole(NamedTuple):
    """A system on this process: matrix, cells of its rows or None, right-hand side, near null space.

    The last one is None with one unknown per node, of which there are ``block``.
    """

    matrix: Matrix
    places: np.ndarray | None
    rhs: np.ndarray
    block: int = 1
    near: np.ndarray | None = None


def both(system: Whole, settings: Settings, network: Network) -> tuple[int, int]:
    """Return the steps that a system takes with networks and without."""
    skeleton = hierarchy(system, settings)
    return iterations(*system[:3], Learned(skeleton, network)), iterations(*system[:3], skeleton)


def system_of(problem: Problem) -> Whole:
    """Return the system of a problem, all on this process."""
    layout = problem.layout(MPI.COMM_SELF)
    found = problem.system(layout, 0.0)
    rows, ghosts = local(found.pointer.astype(np.int32), found.columns, found.values, 0, len(found.rhs))
    matrix, block = Matrix(MPI.COMM_SELF, rows, ghosts), layout.components
    near = found.near if block == 1 else near_of(matrix, block, found.near)
    return Whole(matrix, layout.positions, found.rhs, block, near)


def hierarchy(system: Whole, settings: Settings) -> Hierarchy:
    """Return the hierarchy of a system, made as `usual_for` its kind."""
    usual = usual_for(system.block, system.places is not None)
    told = {name: getattr(usual, name) for name in ("over_correction", "passes", "block")}
    return Hierarchy(system.matrix, replace(settings, **told), system.places, system.near)


def iterations(
    matrix: Matrix, places: np.ndarray | None, b: np.ndarray, found: Hierarchy, rtol: float = RTOL
) -> int:
    """Return the steps of conjugate gradients to a share of b, flexible under a K-cycle."""
    n, rows = matrix.n, matrix.rows
    fine = Cycle([Level(*rows, n, matrix.diagonal)], 64)
    r, p, before, z, q = b.copy(), np.zeros(n), b, np.empty(n), np.empty(n)
    energy, size = 1.0, float(np.linalg.norm(b))
    for step in range(1, MOST + 1):
        scale = 1 / float(np.linalg.norm(r))
        found.cycle.apply(r, z, 0, (scale, 1 / scale))
        now = float(r @ z)
        along = float((r - before) @ z) if found.settings.cycle == "k" else now
        p = z + (along / energy if step > 1 else 0.0) * p
        fine.product(p, q, 0)
        energy, before = now, r
        r = r - now / float(p @ q) * q
        if not float(np.linalg.norm(r)) > rtol * size:
            return step
    return MOST
