"""What a step of each model costs: processor time on one thread, the models in turn."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from statistics import median

import torch

from plexus.fields.state import State
from plexus.studies.active_fluid.contenders import Case, Contender, Setup
from plexus.studies.active_fluid.traces import states_of


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
        runs = {c.name: states_of(c.model(case, setup), setup.dt) for c in contenders}
        for run in runs.values():
            _take(run, 1 + round(warm / setup.dt))
        found: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                start = time.process_time()
                _take(run, chunk)
                found[name].append((time.process_time() - start) / chunk)
    return {name: median(values) for name, values in found.items()}


def _take(states: Iterator[State], count: int) -> None:
    """March on over so many states."""
    deque(islice(states, count), maxlen=0)
