"""What a step of each model costs: processor time on one thread, the models in turn."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

import torch

from plexus.fields.state import State
from plexus.stepping.steppers.sbdf2 import Sbdf2, Sbdf2Params
from plexus.studies.active_fluid.contenders import Case, Contender, Setup


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def step_seconds(
    contenders: Sequence[Contender],
    case: Case,
    setup: Setup,
    warm: float = 5.0,
    chunk: int = 10,
    rounds: int = 15,
) -> dict[str, float]:
    """Return processor seconds per step by name: medians over ``rounds`` turns of ``chunk`` steps each.

    All models first run to t = ``warm``, where the flow is developed and guards see what they will see.
    """
    with one_thread(), torch.no_grad():
        runs = {c.name: _Run(c, case, setup) for c in contenders}
        for run in runs.values():
            run.take(round(warm / setup.dt))
        found: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                start = time.process_time()
                run.take(chunk)
                found[name].append((time.process_time() - start) / chunk)
    return {name: median(values) for name, values in found.items()}


class _Run:
    """A model under way."""

    def __init__(self, contender: Contender, case: Case, setup: Setup):
        self.model, self.dt = contender.model(case, setup), setup.dt
        self.stepper = Sbdf2(Sbdf2Params())
        self.state = State({self.model.unknown: self.model.initial()}, 0.0, 0)

    def take(self, steps: int) -> None:
        """March so many steps."""
        guard = getattr(self.model.closure, "guard", None)
        for _ in range(steps):
            n = self.state.step + 1
            values = self.stepper.step(self.model, self.state, self.state.t, self.dt).values
            self.state = State(values, n * self.dt, n)
            if guard is not None:
                guard.tick()
