"""The common last steps of every unstructured source: deal out, distribute, refine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from plexus.errors import InputError
from plexus.mesh.distribute import distribute
from plexus.mesh.mesh import Mesh
from plexus.mesh.partition import Partitioner
from plexus.mesh.refine import refine
from plexus.mesh.slices import Slices, scatter

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


def from_root(comm: Comm, read: Callable[[], Slices]) -> Slices:
    """Let rank 0 read a whole mesh and return each rank's slice of it. Collective.

    Raises
    ------
    InputError
        On all ranks, if ``read`` raises it.
    """
    return scatter(comm, _agreed(comm, read if comm.rank == 0 else lambda: None))


def from_all(comm: Comm, read: Callable[[], Slices]) -> Slices:
    """Let every rank read its slice. Collective.

    Raises
    ------
    InputError
        On all ranks, if ``read`` raises it on one.
    """
    slices = _agreed(comm, read)
    assert slices is not None
    return slices


def _agreed(comm: Comm, read: Callable[[], Slices | None]) -> Slices | None:
    problem, result = None, None
    try:
        result = read()
    except InputError as error:
        problem = error
    problems = [p for p in comm.allgather(problem) if p is not None]
    if problems:
        raise problems[0]
    return result


def finish(comm: Comm, slices: Slices, periodic: bool, method: Partitioner, times: int) -> Mesh:
    """Distribute slices and refine the result; ``periodic`` keeps images of points identified. Collective."""
    kept = slices if periodic else replace(slices, vertex_ids=None)
    mesh = distribute(comm, kept, method)
    for _ in range(times):
        mesh = refine(mesh)
    return mesh
