"""What the first rank alone looks at, known to all: a result, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from plexus.errors import PlexusError, of_code

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

T = TypeVar("T")


def on_first(comm: Comm, work: Callable[[], T]) -> T:
    """Return what ``work`` returns on the first rank, on all ranks. Collective.

    Raises
    ------
    PlexusError
        On all ranks, with the same text and exit code, if it raises one there.
    """
    told: tuple[T | None, tuple[str, int] | None] = None, None
    if comm.rank == 0:
        try:
            told = work(), None
        except PlexusError as error:
            # the text travels, not the error itself: its parts need not be picklable
            told = None, (str(error), error.exit_code)
    found, problem = comm.bcast(told)
    if problem is not None:
        text, code = problem
        raise of_code(code)(text)
    made: T = found
    return made
