"""The common last steps of every unstructured source: deal out, distribute, refine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from plexus.mesh.distribute import distribute
from plexus.mesh.exchange import agreed
from plexus.mesh.mesh import Mesh
from plexus.mesh.partition import Partitioner
from plexus.mesh.refine import refine
from plexus.mesh.slices import Slices, scatter
from plexus.mesh.sums import verified

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


def identified(comm: Comm, path: str, given: str | None) -> str:
    """Return the sum of a deck's mesh file, read by one rank. Collective.

    Raises
    ------
    InputError
        On all ranks, as `plexus.mesh.sums.verified`.
    """
    found = agreed(comm, lambda: verified(path, given) if comm.rank == 0 else "")
    return str(comm.bcast(found))


def from_root(comm: Comm, read: Callable[[], Slices]) -> Slices:
    """Let rank 0 read a whole mesh and return each rank's slice of it. Collective.

    Raises
    ------
    InputError
        On all ranks, if ``read`` raises it.
    """
    return scatter(comm, agreed(comm, read if comm.rank == 0 else lambda: None))


def from_all(comm: Comm, read: Callable[[], Slices]) -> Slices:
    """Let every rank read its slice. Collective.

    Raises
    ------
    InputError
        On all ranks, if ``read`` raises it on one.
    """
    return agreed(comm, read)


def finish(comm: Comm, slices: Slices, periodic: bool, method: Partitioner, times: int) -> Mesh:
    """Distribute slices and refine the result; ``periodic`` keeps images of points identified. Collective."""
    kept = slices if periodic else replace(slices, vertex_ids=None)
    mesh = distribute(comm, kept, method)
    for _ in range(times):
        mesh = refine(mesh)
    return mesh
