"""Operators beside the solver that they stand for: Burgers' equation from random starts, one second at once.

The truth is the reference deck's solver on four times as many cells; all errors are relative, in L2, means
over the starts 2000 to 2099 of the family, which no training has seen. Cells of the truth are averaged to
those of the others. The rival is the same solver, a batch of all starts at a time as the operator has them,
on the coarsest grid that is as accurate as the operator, with the longest stable steps. Seconds are those of
the core.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch

from plexus.bench.table import Row

Tensor = torch.Tensor
TRAINING = Path("input_decks/training/burgers_operator.yaml")
RUN = Path("input_decks/operators/burgers.yaml")
KEPT = Path("runs/bench/operators")
STARTS = {"min": 2000, "max": 2099, "count": 100, "whole": True}
FINE = 512
STEPS = {24: 20, 32: 30, 48: 50, 64: 75, 96: 140, 128: 250, FINE: 2500}
"""Cells -> steps of the solver; fewer are not stable for all starts."""
TURNS = 5
BOUNDS = {60: 2.0, 120: 1.5}
"""CPU-seconds of a training -> largest error [%]."""


def run(*items: str) -> list[Row]:
    """Return the rows of the shipped operator, or with ``training`` those of new trainings by three seeds."""
    parts = {"shipped": shipped, "training": training}
    return [row for name in items or ("shipped",) for row in parts[name]()]


def shipped() -> list[Row]:
    """Return errors of the shipped operator on three grids, and its cost beside that of the solver."""
    part, starts, true = asked(128)
    found, seconds = timed(lambda: answer(part, starts))
    own = error(found, true)
    rows = [Row("Burgers, 128 cells: error of the operator", own, "%", BOUNDS[120], own <= BOUNDS[120])]
    for cells, bound in ((FINE, 1.05 * own), (64, 2.5)):
        part, u, v = asked(cells)
        e = error(answer(part, u), v)
        rows.append(Row(f"the same weights on {cells} cells", e, "%", bound, e <= bound))
    truth = asked(FINE)[2]
    against = error(found, averaged(truth, 128))
    rows.append(Row("error beside the truth on 512 cells", against, "%"))
    return [*rows, *rivals(truth, against, seconds)]


def rivals(truth: Tensor, accuracy: float, seconds: float) -> list[Row]:
    """Return what the solver takes on several grids, and the ratio to the operator at equal accuracy."""
    rows, cheapest = [], None
    for cells in sorted(STEPS)[:-1]:
        found, spent = timed(lambda n=cells: marched(n))  # type: ignore[misc]  # bound at once
        e = error(found, averaged(truth, cells))
        rows.append(Row(f"solver on {cells} cells, {STEPS[cells]} steps", e, "%", None, None,
                        f"{1e3 * spent / len(truth):.3g} ms per start"))  # fmt: skip
        if cheapest is None and e <= accuracy:
            cheapest = cells, spent
    cost = f"operator {1e3 * seconds / len(truth):.3g} ms per start"
    if cheapest is None:
        return [*rows, Row("time of the solver as accurate as the operator", None, "x", peer=cost)]
    cells, spent = cheapest
    text = f"{cost}, solver on {cells} cells {1e3 * spent / len(truth):.3g} ms"
    return [
        *rows,
        Row("time of the operator over that of the solver as accurate", seconds / spent, "x", peer=text),
    ]


def training() -> list[Row]:
    """Return errors of trainings of about 60 and 120 CPU-seconds, by three seeds."""
    rows = []
    for steps, budget in ((2400, 60), (4800, 120)):
        found = [trained(seed, steps) for seed in range(3)]
        errors, spent = zip(*found, strict=True)
        worst = max(errors)
        rows.append(Row(
            f"Burgers, {steps} steps of training: largest error of three seeds", worst, "%", BOUNDS[budget],
            worst <= BOUNDS[budget],
            f"{', '.join(f'{e:.3g}' for e in errors)}; CPU {', '.join(f'{s:.0f}' for s in spent)} s",
        ))  # fmt: skip
    return rows


def trained(seed: int, steps: int) -> tuple[float, float]:
    """Return the error of an operator after so many steps, and the CPU-seconds that they took."""
    from plexus import registry

    texts = [f"time.stepper.operator.seed={seed}", f"train.seed={seed}", f"train.stages[0].steps={steps}"]
    session = opened(128, texts)
    session.prepare()
    began = time.process_time()
    registry.build("stage", session.plan.stages[0]).work(session)
    spent = time.process_time() - began
    _, starts, true = asked(128)
    return error(answer(session.part, starts), true), spent


def opened(cells: int, more: list[str]) -> Any:
    """Return a session of the training's deck on a grid; its validation are the starts of this benchmark."""
    from mpi4py import MPI

    from plexus.deck.load import load
    from plexus.learning.session import Session
    from plexus.runtime import context

    KEPT.mkdir(parents=True, exist_ok=True)
    vary = "train.validation.vary.parameters"
    texts = [f"mesh.cells=[{cells}]", f"{vary}={{mesh.cells: [[{cells}]], time.step: [{1 / STEPS[cells]} s], "
             f"samples.start.number: {STARTS}}}"]  # fmt: skip
    ctx = context.create(MPI.COMM_SELF, KEPT, seed=0)
    ctx.texts = {"deck": ""}
    return Session(load(TRAINING, [*texts, "train.checkpoint=1 h", *more]), ctx)


def asked(cells: int) -> tuple[Any, Tensor, Tensor]:
    """Return the shipped operator for a grid, starts (100, cells), and what they lead to there."""
    from plexus.deck.load import load

    block = load(RUN).time.stepper.operator  # type: ignore[union-attr]
    path = "time.stepper.operator"
    session = opened(cells, [f"{path}={{type: fno, checkpoint: {block.checkpoint}, sha256: {block.sha256}}}"])
    samples = session.validation.samples(session, ())
    return session.part, samples.inputs["velocity"], samples.targets["velocity"]


def answer(part: Any, starts: Tensor) -> Tensor:
    """Return what an operator makes of starts."""
    with torch.no_grad():
        found: Tensor = part.apply({"velocity": starts})["velocity"]
    return found


def marched(cells: int) -> Tensor:
    """Return what the solver makes of the starts on a grid, marched as one batch."""
    run = batches.get(cells) or batches.setdefault(cells, batch(cells))
    state, clock = run.state, run.clock.state()
    for _ in run.march(1.0):
        pass
    found: Tensor = run.state.values["velocity"][:, 0]
    run.clock.restore(clock)
    run.state = state
    return found


batches: dict[int, Any] = {}
"""Runs of the solver at their beginning, by cells."""


def batch(cells: int) -> Any:
    """Return a run of all starts on a grid as members of an ensemble, at its beginning."""
    from mpi4py import MPI

    from plexus.compose import compose
    from plexus.deck.load import load
    from plexus.fields.state import State
    from plexus.runtime import context

    _, starts, _ = asked(cells)
    texts = [f"mesh.cells=[{cells}]", f"time.step={1 / STEPS[cells]} s", "quantities={}", "output=[]",
             f"ensemble={{members: {len(starts)}}}"]  # fmt: skip
    deck = load(RUN.with_name("burgers_reference.yaml"), texts)
    run = compose(deck, context.create(MPI.COMM_SELF, KEPT, seed=0))
    run.observers = []
    run.state = State({"velocity": starts[:, None].clone()}, run.clock.t)
    return run


def averaged(u: Tensor, cells: int) -> Tensor:
    """Return means over coarser cells of means over cells (N, n), through their common multiple."""
    times = math.lcm(u.shape[1], cells) // u.shape[1]
    return u.repeat_interleave(times, 1).reshape(len(u), cells, -1).mean(2)


def error(found: Tensor, true: Tensor) -> float:
    """Return the mean over starts of the relative error in L2 [%]."""
    return 100 * float(((found - true).norm(dim=1) / true.norm(dim=1)).mean())


def timed(work: Callable[[], Tensor]) -> tuple[Tensor, float]:
    """Return what work gives and the median of its CPU-seconds, after a turn that compiles."""
    found, spent = work(), []
    for _ in range(TURNS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return found, median(spent)
