"""`plexus run`: build, march, report."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import TYPE_CHECKING, Any

from plexus.tasks.base import Request, Task

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.run import Run
    from plexus.runtime.context import Context
    from plexus.runtime.profile import Stages
    from plexus.runtime.summary import Status


class March(Task):
    """The deck's own run."""

    name = "run"
    tip = "run a deck"
    more = "Inside mpirun or srun it joins the ranks that are there."

    def options(self, parser: ArgumentParser) -> None:
        """Add restart file, profilers and citations."""
        add_restart(parser)
        parser.add_argument(
            "--log-view",
            action="store_true",
            help="write PETSc's own log, a stage per phase, to log_view.txt",
        )
        parser.add_argument(
            "--nvtx", action="store_true", help="mark the phases for Nsight Systems (NVIDIA GPUs)"
        )
        parser.add_argument(
            "--citations", action="store_true", help="print what to cite for this deck when the run is done"
        )

    def problem(self, deck: Deck) -> str | None:
        """Refuse a deck whose learned part is still to be trained."""
        from plexus.deck.parts import untrained

        first = next(iter(untrained(deck)), None)
        return f"{first}: not trained yet; `plexus submit --train` trains it" if first else None

    def execute(self, deck: Deck, ctx: Context, request: Request) -> int:
        """Build, march and report; return the exit code. Collective."""
        from plexus.compose import compose
        from plexus.deck.doubts import doubts
        from plexus.devices.placement import table
        from plexus.run import report

        stages = _watch(ctx, request)
        ctx.timers.started()
        # before the first line of the run, where what is seen of the mesh is told
        for doubt in doubts(deck):
            ctx.log.info(f"warning: {doubt}")
        run = compose(deck, ctx)
        run.dry = request.dry
        ctx.log.info(report.opening(run, request.restart is not None))
        ctx.log.info(table(ctx.placement))
        if request.restart is not None:
            from plexus.run.going_on import go_on

            go_on(run, request.restart)
        report.check_references(run)
        run.execute()
        if stages and not request.dry:
            with ctx.timers("log view"):
                ctx.log.info(f"PETSc's log is in {stages.write(ctx)}")
        return finish(run)


TASK = March()


def add_restart(parser: ArgumentParser) -> None:
    """Add the option that goes on from a checkpoint."""
    parser.add_argument(
        "--restart", metavar="FILE", nargs="?", const="latest",
        help="go on from a checkpoint file; without a name, or with `latest`, from the run folder's newest",
    )  # fmt: skip


def _watch(ctx: Context, request: Request) -> Stages | None:
    """Let the profilers that are asked for follow the phases; return the one that writes a file."""
    from plexus.runtime import profile as profilers

    if request.nvtx:
        ranges = profilers.nvtx(ctx.device)
        if isinstance(ranges, str):
            ctx.log.info(f"warning: {ranges}")
        else:
            ctx.timers.watchers.append(ranges)
    if not request.log_view:
        return None
    stages = profilers.Stages()
    ctx.timers.watchers.append(stages)
    return stages


def finish(run: Run, more: dict[str, Any] | None = None) -> int:
    """Report the end of a run and return its exit code; ``more`` goes into the summary. Collective."""
    from plexus.run import inspect, report
    from plexus.runtime.summary import STOPPED, write_summary

    facts, ctx = report.facts(run) | (more or {}), run.ctx
    degraded = report.degraded(facts)
    status: Status = "stopped" if run.stop_reason else "degraded" if degraded else "done"
    code = STOPPED if run.stop_reason else 0
    if not run.dry:
        write_summary(ctx, status, code, facts)
    ctx.log.info(report.closing(facts, run.stepper.marches))
    for text in run.bounds.outside():
        ctx.log.info(f"\nwarning: {text}")
    for warning in (*inspect.beyond_tables(run), *inspect.locking(run)):
        ctx.log.info(f"\nwarning: {run.deck.placed(warning)}")
    ctx.log.info("\n" + ctx.timers.table(ctx.timers.phases(ctx.comm)))
    if not run.dry:
        ctx.log.info(f"\nresults are in {ctx.folder}")
    if run.stop_reason:
        ctx.log.info(f"stopped early at t = {run.clock.t:.6g} s ({run.stop_reason}): go on with --restart")
    ctx.log.close()
    return code
