"""Operators beside the solver that they stand for: Burgers' equation from random starts, one second at once.

The truth is the reference deck's solver on four times as many cells; all errors are relative, in L2, means
over the starts 2000 to 2099 of the family, which no training has seen. Cells of the truth are averaged to
those of the others. Rivals march all starts as one batch, as the operator has them: the same solver with the
longest stable steps, and a Fourier series with ETDRK4 in a few; each on the coarsest grid and with the fewest
steps that are as accurate as the operator. Seconds are those of the core.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch

from plexus import registry
from plexus.bench.table import Row
from plexus.stepping.march import march

Tensor = torch.Tensor
TRAINING = Path("input_decks/training/burgers_operator.yaml")
RUN = Path("input_decks/operators/burgers.yaml")
KEPT = Path("runs/bench/operators")
STARTS = {"min": 2000, "max": 2099, "count": 100, "whole": True}
FINE = 512
STEPS = {32: 30, 48: 50, 64: 75, 96: 140, 128: 250, FINE: 2500}
"""Cells -> steps of the solver; fewer are not stable for all starts."""
SERIES = ((32, 10), (48, 16), (64, 20))
"""Points and steps of the Fourier series."""
VISCOSITY = 0.1
TURNS = 5
BOUNDS = {60: 2.0, 120: 1.5}
"""CPU-seconds of a training -> largest error [%]."""


def run(*items: str) -> list[Row]:
    """Return the rows of the shipped operator; ``training`` and ``longer`` are trainings by three seeds."""
    parts: dict[str, Callable[[], list[Row]]] = {
        "shipped": shipped,
        "training": partial(training, 2400, 60),
        "longer": partial(training, 4800, 120),
    }
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
    """Return what solvers take on several grids, and the ratios to the operator at equal accuracy."""
    volumes = {f"WENO5 on {n} cells, {STEPS[n]} steps": (n, partial(marched, n)) for n in sorted(STEPS)[:-1]}
    series = {f"Fourier series on {n} points, {k} steps": (n, partial(Modes(n).march, k)) for n, k in SERIES}
    rows = []
    for solver, ways in (("WENO5", volumes), ("the Fourier series", series)):
        fastest = math.inf
        for item, (n, work) in ways.items():
            found, spent = timed(work)
            e, each = error(found, averaged(truth, n)), 1e3 * spent / len(truth)
            rows.append(Row(item, e, "%", None, None, f"{each:.3g} ms per start"))
            fastest = min(fastest, spent) if e <= accuracy else fastest
        text = f"{1e3 * seconds / len(truth):.3g} ms against {1e3 * fastest / len(truth):.3g} ms per start"
        item = f"time of the operator over that of {solver} as accurate"
        rows.append(Row(item, seconds / fastest, "x", peer=text))
    return rows


class Modes:
    """Burgers' equation of the starts in Fourier space, u_t = ν u_xx - (u²/2)_x, as steppers take it."""

    unknown = "hat"

    def __init__(self, points: int):
        self.points = points
        self.k = torch.arange(points // 2 + 1, dtype=torch.float64)
        # means of cells have their modes times this
        self.mean = torch.sinc(self.k / points)
        self.linear = -VISCOSITY * self.k**2
        self.hat = torch.fft.rfft(asked(points)[1]) / self.mean

    def explicit(self, hat: Tensor, t: float) -> Tensor:
        """Return the modes of -(u²/2)_x, dealiased by half as many points more."""
        n = 3 * self.points // 2
        square = torch.fft.rfft(torch.fft.irfft(hat, n) ** 2)[:, : len(self.k)] * (1.5 / 2)
        square[:, -1] = 0
        return -1j * self.k * square

    def rms(self, hat: Tensor) -> float:
        """Return the root mean square of the fields."""
        return float(torch.fft.irfft(hat, self.points).square().mean().sqrt())

    def march(self, steps: int) -> Tensor:
        """Return the means of cells after one second."""
        etdrk4 = registry.component("stepper", "etdrk4")
        *_, last = march(self, etdrk4.cls(etdrk4.params()), self.hat, 1 / steps, steps)
        return torch.fft.irfft(last.values["hat"] * self.mean, self.points)


def training(steps: int, budget: int) -> list[Row]:
    """Return the largest error of trainings by three seeds, of about so many CPU-seconds."""
    errors, spent = zip(*(trained(seed, steps) for seed in range(3)), strict=True)
    told = f"{', '.join(f'{e:.3g}' for e in errors)}; CPU {', '.join(f'{s:.0f}' for s in spent)} s"
    item = f"Burgers, {steps} steps of training: largest error of three seeds"
    return [Row(item, max(errors), "%", BOUNDS[budget], max(errors) <= BOUNDS[budget], told)]


def trained(seed: int, steps: int) -> tuple[float, float]:
    """Return the error of an operator after so many steps, and the CPU-seconds that they took."""
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
