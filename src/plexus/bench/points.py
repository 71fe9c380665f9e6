"""An ensemble as one batch against its members as runs of their own: the same numbers, members per second.

Both sides march Lorenz's chain through the whole loop of a run, in this process: time excludes the start of
the interpreter, which single runs would pay a thousand times. Of the single runs a sample is measured, spread
over the ensemble, and extrapolated to all members.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from plexus.bench.table import Row

MEMBERS, SAMPLE, STEPS = 1000, 8, 200
FASTER, EQUAL = 50.0, 1e-12
"""Bounds: members per second relative to single runs, and difference relative to the largest value."""


def run() -> list[Row]:
    """Return the rate of an ensemble relative to single runs, and the difference of their results."""
    numbers = [round(k) for k in np.linspace(0, MEMBERS - 1, SAMPLE)]
    with _one_thread():
        # what is imported, compiled and allocated at the first time is on no side
        _march(0, 1)
        states, batch = _march(0, MEMBERS)
        singles = [_march(number, 1) for number in numbers]
    alone = float(np.median([seconds for _, seconds in singles])) * MEMBERS
    pairs = [np.abs(state[0] - states[k]).max() for (state, _), k in zip(singles, numbers, strict=True)]
    apart = float(max(pairs) / np.abs(states).max())
    peer = f"{MEMBERS} single runs, from {SAMPLE} of them"
    return [
        Row(f"{STEPS} steps of {MEMBERS} members", batch, "s"),
        Row(f"{STEPS} steps of {MEMBERS} runs", alone, "s", peer=peer),
        Row("members per second", alone / batch, "x", FASTER, alone / batch >= FASTER, peer),
        Row("largest difference", apart, "", EQUAL, apart <= EQUAL, f"{SAMPLE} single runs"),
    ]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread on both sides, as a rank of a run does."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _march(first: int, members: int) -> tuple[np.ndarray, float]:
    """Return the final states (members, values) of a run and the seconds of its march."""
    from mpi4py import MPI

    from plexus.compose import compose
    from plexus.coupling.stages import STATE
    from plexus.deck.load import load
    from plexus.devices.tensors import to_host
    from plexus.runtime import context

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "deck.yaml"
        path.write_text(yaml.safe_dump(_deck(first, members)))
        march = compose(load(path), context.create(MPI.COMM_SELF, path.parent))
        march.observers = []
        start = time.perf_counter()
        march.execute()
        seconds = time.perf_counter() - start
    return to_host(march.state.values[STATE]), seconds


def _deck(first: int, members: int) -> dict[str, Any]:
    """Return the deck of a part of the ensemble."""
    dt = 0.01
    return {
        "plexus": 1,
        "physics": {"type": "lorenz96", "n": 40, "forcing": 8},
        "ensemble": {"members": members, "first": first, "perturbation": 0.01, "seed": 1},
        "time": {"stepper": {"type": "runge_kutta", "method": "classical"}, "end": STEPS * dt, "step": dt},
    }
