"""What the first rank alone looks at, known to all: a result, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from plexus.errors import InputError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

T = TypeVar("T")


def on_first(comm: Comm, work: Callable[[], T]) -> T:
    """Return what ``work`` returns on the first rank, on all ranks. Collective.

    Raises
    ------
    InputError
        On all ranks, if it raises one there.
    """
    told: tuple[T | None, str | None] = None, None
    if comm.rank == 0:
        try:
            told = work(), None
        except InputError as error:
            told = None, str(error)
    found, problem = comm.bcast(told)
    if problem is not None:
        raise InputError(problem)
    made: T = found
    return made
