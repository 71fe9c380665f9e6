"""`plexus train` on one rank: data, stages, bundle, summary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from plexus.errors import InputError
from plexus.fileformat import SERIES
from plexus.io.series import Series
from plexus.learning import memo
from plexus.learning.bundle import written
from plexus.learning.infer import infer
from plexus.learning.offline import active, offline
from plexus.learning.session import Session, Stopped
from plexus.learning.unrolled import unrolled
from plexus.runtime.folder import set_aside
from plexus.runtime.summary import STOPPED, write_progress, write_summary

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context

STAGES = {"offline": offline, "unrolled": unrolled, "active": active, "infer": infer}


def train(deck: Deck, ctx: Context, restart: str | None = None, dry: bool = False) -> int:
    """Train as the deck's block `train` says and return the exit code. Collective.

    A ``dry`` training checks that closure, grid and stages fit, and computes nothing.

    Raises
    ------
    InputError
        If the deck has no such block, no learned closure, or there is nothing to go on with.
    """
    if deck.train is None:
        raise InputError("train: the deck has no such block; `plexus explain train` shows one")
    if restart not in (None, "latest"):
        raise InputError(f"a training goes on in its own folder: --restart without a file, not {restart}")
    session = Session(deck, ctx)
    if dry:
        return 0
    ctx.timers.started()
    ctx.log.info(_opening(session))
    if restart:
        _go_on(session)
    _history(session)
    session.prepare()
    try:
        _stages(session)
    except Stopped as stop:
        return _end(session, str(stop), {})
    return _end(session, None, _left(session))


def _opening(session: Session) -> str:
    plan, count = session.plan, sum(p.numel() for p in session.closure.network.parameters())
    cells = " x ".join(map(str, session.space.cells))
    modes = ", ".join(stage.mode for stage in plan.stages)
    closes = session.closure.closes
    what = "S:T" if closes == "st" else f"f_{closes}"
    name, runs, ranks = type(session.closure).__name__, len(plan.cases), session.team.size
    return (
        f"{session.deck.name}: {name} for {what}, {count} parameters; {runs} kinetic run{'s'[: runs > 1]} of "
        f"{plan.moments} moments on {cells} points; {ranks} rank{'s'[: ranks > 1]}; {modes}"
    )


def _go_on(session: Session) -> None:
    """Continue an earlier training, say how its deck has changed, and keep its bundle. Collective."""
    ctx, changed = session.ctx, session.restore()
    ctx.accept()
    ctx.log.info(f"restart from {memo.NAME} at step {session.position.total}")
    for change in changed:
        ctx.log.info(f"  deck changed: {change}")
    bundle = ctx.folder / session.plan.output
    if ctx.root and bundle.is_file() and bundle.parent.resolve() == ctx.folder.resolve():
        ctx.log.info(f"the earlier bundle was moved to {set_aside(ctx.folder, [bundle], False)}")


def _history(session: Session) -> None:
    """Open the history; a restart goes on in it."""
    ctx = session.ctx
    path = ctx.folder / SERIES if ctx.root else None
    going_on = path is not None and session.position.total > 0
    session.series = Series.resume(path, session.position.total) if going_on and path else Series(path)
    session.series.texts = dict(ctx.texts)


def _stages(session: Session) -> None:
    """Go through the stages from where the training stands. Collective."""
    p = session.position
    while p.stage < len(session.plan.stages):
        stage = session.plan.stages[p.stage]
        session.ctx.log.info(f"stage {p.stage + 1}: {stage.mode}")
        p.losses.append(STAGES[stage.mode](session, stage))
        p.stage += 1
        # a stage is not taken twice, and a restart after the end finds nothing to do
        session.save()


def _left(session: Session) -> dict[str, Any]:
    """Write the bundle and tell what it is worth. Collective."""
    if all(stage.mode == "infer" for stage in session.plan.stages):
        return {}
    path, sha256, table = written(session)
    log = session.ctx.log
    for row in table:
        case, value = row["case"], row["value"]
        beside = (f"{name} {base:.4g}, ratio {value / base:.3f}" for name, base in row["baselines"].items())
        log.info(
            f"  alpha {case['alpha']:g}, zeta {case['zeta']:g}, seed {case['seed']}: {row['metric']} "
            f"{value:.4g}, {', '.join(beside)}"
        )
    log.info(f"bundle {path}\nsha256 {sha256}")
    return {"bundle": str(path), "sha256": sha256, "validation": table}


def _end(session: Session, reason: str | None, facts: dict[str, Any]) -> int:
    """Write summary and history and return the exit code. Collective."""
    ctx, p = session.ctx, session.position
    quantities = {f"loss.{n}": loss for n, loss in enumerate(p.losses) if math.isfinite(loss)}
    quantities |= dict(p.inferred) | {f"worst.{n}": value for n, value in enumerate(p.worst)}
    code = STOPPED if reason else 0
    told = {"steps": p.total, "quantities": quantities, "frames": session.frames.total, **facts}
    write_summary(ctx, "stopped" if reason else "done", code, told)
    if ctx.root:
        session.series.flush(force=True)
        share, status = (p.stage / len(session.plan.stages), "stopped") if reason else (1.0, "done")
        write_progress(ctx, step=p.total, t=ctx.timers.elapsed, share=share, left=None, status=status)
    ctx.log.info("\n" + ctx.timers.table(ctx.timers.phases(ctx.comm)))
    ctx.log.info(f"\nresults are in {ctx.folder}")
    if reason:
        ctx.log.info(f"stopped early ({reason}): go on with --restart")
    ctx.log.close()
    return code
