"""A task on one rank: share the deck, prepare the run folder, do it, end with the right exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus.runtime import collector
from plexus.tasks import Request, Task, named
from plexus.tasks._offline import before, words

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context
    from plexus.runtime.guard import Guard


def run(
    path: str | Path,
    overrides: Sequence[str] = (),
    folder: str | Path | None = None,
    restart: str | None = None,
    dry: bool = False,
) -> int:
    """Run a deck (`perform` with the task `run`) and return the exit code. Collective."""
    return perform(Request(path, overrides, folder, restart, dry), named("run"))


def perform(request: Request, task: Task) -> int:
    """Do a task with a deck on all ranks of this job and return the exit code. Collective.

    The deck is read on rank 0 only.

    Raises
    ------
    SystemExit
        With the exit code, after an error.
    """
    from plexus import launch

    # MPI starts when it is imported
    launch.alone()
    import petsc4py
    from mpi4py import MPI

    from plexus.errors import InputError
    from plexus.runtime.first import on_first
    from plexus.runtime.guard import Guard
    from plexus.runtime.log import Log

    petsc4py.init(_petsc())
    comm = MPI.COMM_WORLD
    guard = Guard(comm)
    with guard:
        launch.agreed(request.ranks, comm.size)
        deck = share(comm, request.deck, request.overrides)
        first = None
        if task.marches:
            with deck.located():
                _spare(deck, request)
            first = on_first(comm, lambda: before(deck))
        if first is None:
            return _done(comm, guard, deck, request, task)
        if request.dry:
            raise InputError(f"{deck.rom.file} is missing: make it by {words(first)}")  # type: ignore[union-attr]
        Log(comm).info(f"the file of the reduced model is missing and is made first: {words(first)}")
        code = _done(comm, guard, share(comm, first.deck, first.overrides), first, named("reduce"))
        return code or _done(comm, guard, deck, _anew(comm, deck, request, task), task)
    return 0


def _done(comm: Comm, guard: Guard, deck: Deck, request: Request, task: Task) -> int:
    """Prepare the run folder, do a task there and return the exit code. Collective."""
    guard.report = None
    with deck.located():
        ctx = _context(comm, deck, request)
    guard.log = ctx.log
    if not request.dry:
        guard.report = lambda code, message: _failed(ctx, code, message)
    ctx.stop.watch()
    collector.resume()
    try:
        # what is not finite is found by the guard once per step, not told by NumPy per operation
        with deck.located(), np.errstate(all="ignore"):
            return task.execute(deck, ctx, request)
    finally:
        ctx.stop.restore()


def _anew(comm: Comm, deck: Deck, request: Request, task: Task) -> Request:
    """Return a request without its restart where a task has not yet begun, as its model was still made."""
    folder = _folder(deck, request)
    begun = comm.bcast(any(folder.glob(task.memory)) if comm.rank == 0 else None)
    return request if begun or request.restart != "latest" else replace(request, restart=None)


def _spare(deck: Deck, request: Request) -> None:
    """Refuse a run folder that holds the reduced model: a new run would move it away, as all results."""
    from plexus.errors import InputError
    from plexus.runtime.folder import continues

    file, folder = getattr(deck.rom, "file", None), _folder(deck, request)
    if request.dry or file is None or continues(folder, request.restart):
        return
    if Path(file).resolve().parent == folder.resolve():
        raise InputError(
            f"rom.file: it lies in the run folder {folder}, whose results a new run moves away: choose "
            "another folder with -o"
        )


def _folder(deck: Deck, request: Request) -> Path:
    return Path(request.folder or Path("runs") / deck.name)


def _petsc() -> list[str]:
    """Return PETSc's command line.

    Without its own handlers, which answer a closed pipe with a page of text and an abort, and without the
    ``.petscrc`` of the working folder, which may come with somebody's deck; the user's own one counts.
    """
    own = Path.home() / ".petscrc"
    more = ["-options_file", str(own)] if own.is_file() else []
    return ["plexus", "-no_signal_handler", "-skip_petscrc", *more]


def _context(comm: Comm, deck: Deck, request: Request) -> Context:
    """Prepare the run folder and return the context. Collective."""
    from plexus.deck.discretisation import made_for
    from plexus.devices.binding import bind
    from plexus.devices.placement import place
    from plexus.runtime import context
    from plexus.runtime.claim import of_deck
    from plexus.runtime.folder import continues, prepare
    from plexus.runtime.log import Log
    from plexus.runtime.timers import process_begin

    begin, folder = process_begin(), _folder(deck, request)
    keep = continues(folder, request.restart)
    moved = None if request.dry else prepare(comm, folder, of_deck(deck), keep=keep)
    runtime = deck.runtime
    devices = runtime.devices
    device = bind(runtime.device, comm, devices.policy, devices.uuids, devices.share)
    limits = {"time_limit": runtime.time_limit, "margin": runtime.margin}
    ctx = context.create(comm, folder, seed=runtime.seed, device=device.name, begin=begin, **limits)
    ctx.placement = place(comm, device, most=made_for(deck.physics.type).threads)
    # a dry run leaves no trace, so its log has no file
    if request.dry:
        ctx.log = Log(comm)
    if moved:
        ctx.log.info(f"earlier results were moved to {moved}")
    if not request.dry:
        ctx.pending = keep
        ctx.describe(deck.effective_yaml() if ctx.root else "")
        if not keep:
            ctx.accept()
    return ctx


def _failed(ctx: Context, code: int, message: str) -> None:
    """Record a failure, but not over the results of a run that could not be gone on with (one rank)."""
    from plexus.fileformat import SUMMARY
    from plexus.runtime.summary import write_failure

    if not (ctx.pending and (ctx.folder / SUMMARY).exists()):
        write_failure(ctx, code, message)


def share(comm: Comm, path: str | Path, overrides: Sequence[str]) -> Deck:
    """Read the deck on rank 0 and return it on every rank. Collective.

    Raises
    ------
    PlexusError
        On all ranks, with the message of rank 0, if the deck is wrong.
    """
    from plexus import registry
    from plexus.deck.schema import Deck
    from plexus.runtime.first import on_first

    if comm.rank > 0:
        # meanwhile: what every task needs
        import_module("plexus.compose")
    read: list[Deck] = []

    def look() -> tuple[Any, Any]:
        from plexus.deck.load import load

        read.append(load(path, overrides))
        return read[0].plain(), registry.installed()

    # one reader: a file system shared by thousands of ranks is read once, and all see the same deck
    plain, found = on_first(comm, look)
    registry.adopt(found)
    return read[0] if read else Deck.from_plain(plain)
