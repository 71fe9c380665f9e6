"""`plexus train` on one rank: data, stages, bundle, summary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.parts import CONTROLS
from plexus.deck.train import taken_over
from plexus.errors import InputError
from plexus.fileformat import MOST_ANSWERED, SERIES
from plexus.io.series import Series
from plexus.learning import bundle, fitted, memo
from plexus.learning.figures import RIVAL, validated
from plexus.learning.judging import Row, worse
from plexus.learning.position import Stopped
from plexus.learning.session import Session
from plexus.runtime.folder import set_aside
from plexus.runtime.summary import STOPPED, write_progress, write_summary

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.runtime.context import Context


def train(deck: Deck, ctx: Context, restart: str | None = None, dry: bool = False) -> int:
    """Train as the deck's block `train` says and return the exit code. Collective.

    A ``dry`` training checks that part, grid and stages fit, and computes nothing.

    Raises
    ------
    InputError
        If the deck has no such block, no learned part, or there is nothing to go on with.
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
    for line in taken_over(deck):
        ctx.log.info(line)
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
    part, ranks = session.part, session.team.size
    count = sum(p.numel() for p in part.network.parameters())
    stages = ", ".join(stage.type for stage in session.plan.stages)
    what = " and ".join(port.name for port in part.outputs)
    where = f" on {' x '.join(map(str, session.space.cells))} points" if session.space is not None else ""
    if session.team.per > 1:
        where += f"; groups of {session.team.per}"
    return (
        f"{session.deck.name}: {type(part).__name__} for {what}, {count} parameters; {session.data.words()}"
        f"{where}; {ranks} rank{'s'[: ranks > 1]}; {stages}"
    )


def _go_on(session: Session) -> None:
    """Continue an earlier training, say how its deck has changed, and keep its bundle. Collective."""
    ctx, changed = session.ctx, session.restore()
    ctx.accept()
    ctx.log.info(f"restart from {memo.NAME} at step {session.position.total}")
    for change in changed:
        ctx.log.info(f"  deck changed: {change}")
    earlier = ctx.folder / session.plan.output
    if ctx.root and earlier.is_file() and earlier.parent.resolve() == ctx.folder.resolve():
        ctx.log.info(f"{earlier.name} of before was moved to {set_aside(ctx.folder, [earlier], False)}")


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
        session.ctx.log.info(f"stage {p.stage + 1}: {stage.type}")
        p.losses.append(registry.build("stage", stage).work(session))
        p.stage, p.latest = p.stage + 1, math.nan
        # a stage is not taken twice, and a restart after the end finds nothing to do
        session.save()


def _left(session: Session) -> dict[str, Any]:
    """Write the bundle, or the controls, and tell what it is worth. Collective."""
    if not any(_class(stage).trains for stage in session.plan.stages):
        return {}
    leave = fitted if session.plan.part == CONTROLS else bundle
    path, sha256, table = leave.written(session)
    for row in table:
        session.ctx.log.info(f"  {_told(row)}")
    session.ctx.log.info(f"{leave.WHAT} {path}\nsha256 {sha256}")
    return {"bundle": str(path), "sha256": sha256, "validation": table}


def _class(stage: Any) -> Any:
    return registry.component("stage", stage.type).cls


def _told(row: Row) -> str:
    """Return a row of the validation in words."""
    case = ", ".join(
        f"{k} {v:g}" if isinstance(v, int | float) else f"{k} {v}" for k, v in row["case"].items()
    )
    beside = [
        f"{n} {base:.4g}, ratio {_ratio(row['value'], base):.3g}" for n, base in row["baselines"].items()
    ]
    if row["fallback"]:
        beside.append(f"{100 * row['fallback']:.3g} % answered by the fallback")
    return ", ".join([f"{case}: {row['metric']} {row['value']:.4g}", *beside])


def _ratio(value: float, base: float) -> float:
    """Return an error over that of a rival, which may have none."""
    return value / base if base else math.inf


def _verdict(table: list[Row]) -> str | None:
    """Return what speaks against a part: a rival that is as good, a fallback that has answered for it."""
    lost, told = worse(table), []
    if lost:
        most = max(lost, key=lambda row: _ratio(row["value"], min(row["baselines"].values())))
        count = f"{len(lost)} of {len(table)} validations"
        told.append(f"{count} no better than a classical part, which needs no training; most: {_told(most)}")
    largest = max((row["fallback"] for row in table), default=0.0)
    if largest > MOST_ANSWERED:
        told.append(
            f"up to {100 * largest:.3g} % of a validation lie outside of the training's range, where the "
            "fallback has answered: it does not judge the part; train on more, or validate within"
        )
    elif largest:
        told.append(f"the fallback answered up to {100 * largest:.3g} % of a validation")
    return f"warning: {'; '.join(told)}" if told else None


def _end(session: Session, reason: str | None, facts: dict[str, Any]) -> int:
    """Write summary and history and return the exit code. Collective."""
    ctx, p = session.ctx, session.position
    quantities = {f"loss.{n}": loss for n, loss in enumerate(p.losses) if math.isfinite(loss)}
    quantities |= dict(p.inferred) | {f"worst.{n}": value for n, value in enumerate(p.worst)}
    for name, figure in validated(facts.get("validation", [])).items():
        quantities[name] = figure.value
        if figure.beside is not None:
            quantities[name.replace("validation", RIVAL, 1)] = figure.beside
    code = STOPPED if reason else 0
    told = {"steps": p.total, "quantities": quantities, "frames": session.samples.total, **facts}
    write_summary(ctx, "stopped" if reason else "done", code, told)
    if ctx.root:
        session.series.flush(force=True)
        share, status = (p.stage / len(session.plan.stages), "stopped") if reason else (1.0, "done")
        write_progress(ctx, step=p.total, t=ctx.timers.elapsed, share=share, left=None, status=status)
    ctx.log.info("\n" + ctx.timers.table(ctx.timers.phases(ctx.comm)))
    ctx.log.info(f"\nresults are in {ctx.folder}")
    if reason:
        ctx.log.info(f"stopped early ({reason}): go on with --restart")
    verdict = _verdict(facts.get("validation", []))
    if verdict:
        ctx.log.info(verdict)
    ctx.log.close()
    return code
