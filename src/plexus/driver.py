"""`plexus run` on one rank: read and share the deck, build, march, report, end with the right exit code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plexus.errors import InputError, PlexusError, SolveError

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context
    from plexus.runtime.profile import Stages
    from plexus.runtime.summary import Status


@dataclass(frozen=True)
class Profile:
    """Which profilers follow the phases of the run: PETSc's log, NVTX ranges."""

    log_view: bool = False
    nvtx: bool = False


def run(
    path: str | Path,
    overrides: Sequence[str] = (),
    folder: str | Path | None = None,
    restart: str | None = None,
    dry: bool = False,
    profile: Profile | None = None,
    training: bool = False,
) -> int:
    """Run a deck on all ranks of this job and return the exit code. Collective.

    Parameters
    ----------
    path : path
        The deck; read on rank 0 only.
    overrides : sequence of str
        Texts ``a.b.c=value``.
    folder : path, optional
        Run folder; default ``runs/<deck name>``.
    restart : str, optional
        Checkpoint file, or ``latest`` for the newest one of the run folder.
    dry : bool
        Build everything, take at most two steps, write nothing.
    profile : Profile, optional
        Profilers to use; none by default.
    training : bool
        Train the deck's closure as its block `train` says, instead of marching.

    Raises
    ------
    SystemExit
        With the exit code, after an error.
    """
    import petsc4py
    from mpi4py import MPI

    from plexus.runtime.guard import Guard

    # without PETSc's own handlers, which answer a closed pipe with a page of text and an abort
    petsc4py.init(["plexus", "-no_signal_handler"])
    comm = MPI.COMM_WORLD
    guard = Guard(comm)
    with guard:
        deck = share(comm, path, overrides)
        with located(deck):
            ctx = _context(comm, deck, Path(folder or Path("runs") / deck.name), restart, dry)
        guard.log = ctx.log
        if not dry:
            from plexus.runtime.summary import write_failure

            guard.report = lambda code, message: write_failure(ctx, code, message)
        ctx.stop.watch()
        try:
            # what is not finite is found by the guard once per step, not told by NumPy per operation
            with located(deck), np.errstate(all="ignore"):
                return (_train if training else _run)(deck, ctx, restart, dry, profile or Profile())
        finally:
            ctx.stop.restore()
    return 0


def _run(deck: Deck, ctx: Context, restart: str | None, dry: bool, profile: Profile) -> int:
    """Build, march and report; return the exit code. Collective."""
    from plexus.compose import compose
    from plexus.devices.placement import table
    from plexus.run import report

    stages = _watch(ctx, profile)
    ctx.timers.started()
    run = compose(deck, ctx)
    run.dry = dry
    ctx.log.info(report.opening(run, restart is not None))
    ctx.log.info(table(ctx.placement))
    if restart is not None:
        _restart(run, restart)
    run.execute()
    if stages and not dry:
        with ctx.timers("log view"):
            ctx.log.info(f"PETSc's log is in {stages.write(ctx)}")
    return _finish(run)


def _train(deck: Deck, ctx: Context, restart: str | None, dry: bool, profile: Profile) -> int:
    """Train the deck's closure and return the exit code. Collective."""
    from plexus.learning.main import train

    return train(deck, ctx, restart, dry)


def _watch(ctx: Context, profile: Profile) -> Stages | None:
    """Let the profilers that are asked for follow the phases; return the one that writes a file."""
    from plexus.runtime import profile as profilers

    if profile.nvtx:
        ranges = profilers.nvtx(ctx.device)
        if isinstance(ranges, str):
            ctx.log.info(f"warning: {ranges}")
        else:
            ctx.timers.watchers.append(ranges)
    if not profile.log_view:
        return None
    stages = profilers.Stages()
    ctx.timers.watchers.append(stages)
    return stages


def _restart(run: Run, choice: str) -> None:
    """Continue from a checkpoint; say which, and how the deck has changed. Collective."""
    from plexus.io.restart import resume

    with run.ctx.timers("restart"):
        path, changes = resume(run, choice, run.ctx.folder)
    run.ctx.log.info(f"restart from {path} at step {run.clock.step}, t = {run.clock.t:.6g} s")
    for change in changes:
        run.ctx.log.info(f"  deck changed: {change}")


def _context(comm: Comm, deck: Deck, folder: Path, restart: str | None, dry: bool) -> Context:
    """Prepare the run folder and return the context. Collective."""
    from plexus.deck.discretisation import made_for
    from plexus.devices.binding import bind
    from plexus.devices.placement import place
    from plexus.runtime import context
    from plexus.runtime.folder import continues, prepare
    from plexus.runtime.log import Log
    from plexus.runtime.timers import process_begin

    begin = process_begin()
    moved = None if dry else prepare(comm, folder, keep=continues(folder, restart))
    runtime = deck.runtime
    devices = runtime.devices
    device = bind(runtime.device, comm, devices.policy, devices.uuids, devices.share)
    limits = {"time_limit": runtime.time_limit, "margin": runtime.margin}
    ctx = context.create(comm, folder, seed=runtime.seed, device=device.name, begin=begin, **limits)
    ctx.placement = place(comm, device, most=made_for(deck.physics.type).threads)
    # a dry run leaves no trace, so its log has no file
    if dry:
        ctx.log = Log(comm)
    if moved:
        ctx.log.info(f"earlier results were moved to {moved}")
    if not dry:
        _describe(deck, ctx)
    return ctx


def _describe(deck: Deck, ctx: Context) -> None:
    """Write the effective deck; result files carry it and the provenance of the run. Collective."""
    text = deck.effective_yaml() if ctx.root else ""
    ctx.describe(text)
    if ctx.root:
        from plexus.fileformat import DECK
        from plexus.runtime.files import write_text

        write_text(ctx.folder / DECK, text)


def _finish(run: Run) -> int:
    """Report the end of a run and return its exit code. Collective."""
    from plexus.run import inspect, report
    from plexus.runtime.summary import STOPPED, write_summary

    facts, ctx = report.facts(run), run.ctx
    degraded = report.degraded(facts)
    status: Status = "stopped" if run.stop_reason else "degraded" if degraded else "done"
    code = STOPPED if run.stop_reason else 0
    if not run.dry:
        write_summary(ctx, status, code, facts)
    ctx.log.info(report.closing(facts, run.stepper.marches))
    for warning in inspect.beyond_tables(run):
        ctx.log.info(f"\nwarning: {_placed(run.deck, warning)}")
    ctx.log.info("\n" + ctx.timers.table(ctx.timers.phases(ctx.comm)))
    if not run.dry:
        ctx.log.info(f"\nresults are in {ctx.folder}")
    if run.stop_reason:
        ctx.log.info(f"stopped early at t = {run.clock.t:.6g} s ({run.stop_reason}): go on with --restart")
    ctx.log.close()
    return code


def share(comm: Comm, path: str | Path, overrides: Sequence[str]) -> Deck:
    """Read the deck on rank 0 and return it on every rank. Collective.

    Raises
    ------
    PlexusError
        On all ranks, with the message of rank 0, if the deck is wrong.
    """
    from plexus import registry
    from plexus.deck.schema import Deck

    registry.adopt(comm.bcast(registry.installed() if comm.rank == 0 else None))
    # one reader: a file system shared by thousands of ranks is read once, and all see the same deck
    deck, plain, failure = None, None, None
    if comm.rank == 0:
        from plexus.deck.load import load

        try:
            deck = load(path, overrides)
            plain = deck.plain()
        except PlexusError as error:
            failure = str(error), error.exit_code
    # the text travels, not the error itself: its parts need not be picklable
    plain, failure = comm.bcast((plain, failure))
    if failure is not None:
        raise _same_everywhere(*failure)
    return deck or Deck.from_plain(plain)


def _same_everywhere(message: str, code: int) -> PlexusError:
    """Return an error of rank 0 as every rank raises it."""
    error = PlexusError(message)
    error.exit_code = code
    return error


@contextmanager
def located(deck: Deck) -> Iterator[None]:
    """Put the place in the deck before each line of an error that starts with a deck path."""
    try:
        yield
    except (InputError, SolveError) as error:
        raise type(error)("\n".join(_placed(deck, line) for line in str(error).splitlines())) from error


def _placed(deck: Deck, line: str) -> str:
    """Return a line with its place in the deck in front, if it starts with a deck path."""
    path = line.partition(": ")[0]
    # a block has no value of its own: its first entry tells the place
    below = (place for key, place in deck.origins.items() if key.startswith((path + ".", path + "[")))
    place = deck.origins.get(path) or next(below, None)
    return f"{place}: {line}" if place else line
