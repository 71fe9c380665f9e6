"""`plexus run` on one rank: read and share the deck, build, march, report, end with the right exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from plexus.errors import PlexusError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.deck.schema import Deck


def run(
    path: str | Path,
    overrides: Sequence[str] = (),
    folder: str | Path | None = None,
    restart: str | None = None,
    dry: bool = False,
) -> int:
    """Run a deck on all ranks of this job and return the exit code. Collective.

    Parameters
    ----------
    path : the deck; read on rank 0 only.
    overrides : texts ``a.b.c=value``.
    folder : run folder; default ``runs/<deck name>``.
    restart : checkpoint file, or ``latest`` for the newest one of the run folder.
    dry : build everything, take at most two steps, write nothing.

    Raises
    ------
    SystemExit
        With the exit code of an error that all ranks share.
    """
    from mpi4py import MPI

    from plexus.build import build
    from plexus.runtime import context
    from plexus.runtime.guard import Guard

    comm = MPI.COMM_WORLD
    with Guard(comm):
        deck = share(comm, path, overrides)
        ctx = context.create(comm, Path(folder or Path("runs") / deck.name), seed=deck.runtime.seed)
        built = build(deck, ctx)
        built.execute()
    return 0


def share(comm: Comm, path: str | Path, overrides: Sequence[str]) -> Deck:
    """Read the deck on rank 0 and return it on every rank. Collective.

    Raises
    ------
    PlexusError
        On all ranks, with the message of rank 0, if the deck is wrong.
    """
    from plexus.deck.schema import Deck

    plain, failure = None, None
    if comm.rank == 0:
        from plexus.deck.load import load

        try:
            deck = load(path, overrides)
            plain = deck.plain()
        except PlexusError as error:
            failure = error
    plain, failure = comm.bcast((plain, failure))
    if failure is not None:
        raise failure
    return deck if comm.rank == 0 else Deck.from_plain(plain)
