"""Gradients through solves on elements: what they cost beside the same run without one, and their memory.

The run alone and the run on tensors with its gradient take turns; with t of both,

    cost = t(value and gradient)/t(run) - 1,

so that everything that tensors add to a run counts. A control at every node is differentiated, and has other
values each time: a matrix that has not changed would keep its factors. Times are those of the core. Marches
are measured with all states and with every k-th kept; their memory is that of torch's tensors.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import yaml

from plexus.bench.memory import peak
from plexus.bench.table import Row

if TYPE_CHECKING:
    from plexus.run import Run

    Look = Callable[[Any], torch.Tensor | None]

LINEAR, NONLINEAR, TRANSIENT, FLAT = 1.5, 1.0, 2.5, 1.5
"""Bounds: costs in runs, and growth of the memory of a march with states computed again."""
TURNS, SIDE, STEPS, EVERY = 5, 110, 12, 4
SKEW = [["m", "y"], ["-y", "m"]]
"""A conductivity whose antisymmetric part carries the unknown along: the matrix is not symmetric."""


def deck(coefficient: Any, side: int, solver: Any, **more: Any) -> dict[str, Any]:
    """Return a deck of diffusion on triangles with the control m at nodes."""
    return {
        "plexus": 1,
        "controls": {"m": {"type": "nodal", "start": "1 + 0.5*sin(5*x)*cos(4*y)"}},
        "mesh": {"type": "box", "cell": "triangle", "cells": [side, side]},
        "physics": {"type": "diffusion", "coefficient": coefficient, "source": 1},
        "boundary": [{"on": ["left", "bottom"], "u": 0}],
        "solver": {"u": {"preconditioner": solver, "rtol": 1e-10, "snes_rtol": 1e-10}},
        "output": [],
    } | more


CASES = {
    "linear, MUMPS": (LINEAR, deck(SKEW, SIDE, "mumps")),
    "linear, GAMG": (LINEAR, deck(SKEW, SIDE, "gamg")),
    "linear, BoomerAMG": (LINEAR, deck(SKEW, SIDE, "hypre")),
    "symmetric, CG with GAMG": (LINEAR, deck("m", SIDE, "gamg")),
    "nonlinear, MUMPS": (NONLINEAR, deck("m*(1 + u^2)", SIDE, "mumps")),
    "nonlinear, GAMG": (NONLINEAR, deck("m*(1 + u^2)", SIDE, "gamg")),
}
"""Item -> bound, deck."""


def elements(turns: int = TURNS, side: int | None = None) -> list[Row]:
    """Return the rows of steady solves and marches; ``side`` stands for all numbers of cells."""
    rows = []
    for item, (bound, block) in CASES.items():
        run = composed(block if side is None else resized(block, side))
        rows.append(measured(f"{item}, {cells(run)} triangles", run, bound, turns))
    run = composed(heat(side or SIDE))
    for every, text in ((None, "all states"), (EVERY, f"every {EVERY}th state")):
        rows.append(measured(f"bdf2, {STEPS} steps, {text}", run, TRANSIENT, turns, every))
    return [*rows, *memory(side or 30)]


def memory(side: int) -> list[Row]:
    """Return how the memory of a gradient grows when a march has four times as many steps."""
    rows = []
    runs = [composed(heat(side, n)) for n in (2 * EVERY, 8 * EVERY)]
    for run in runs:
        # what all gradients of a run share is there before
        traced(run, squares, values(run))
    for every, bound in ((EVERY, FLAT), (None, None)):
        few, many = (peak(partial(traced, run, squares, values(run), every)) for run in runs)
        growth, text = many / few, "all states" if every is None else f"every {EVERY}th state"
        item = f"bdf2, memory of {8 * EVERY} steps beside {2 * EVERY}, {text}"
        peer = f"{few / 2**20:.1f} and {many / 2**20:.1f} MiB"
        rows.append(Row(item, growth, "x", bound, None if bound is None else growth <= bound, peer))
    return rows


def measured(item: str, run: Run, bound: float, turns: int, every: int | None = None) -> Row:
    """Measure one case: A B A B …, after a turn that compiles and allocates."""
    m = values(run)
    pairs = [
        (seconds(partial(plain, run, a * m)), seconds(partial(traced, run, squares, (a + 1e-4) * m, every)))
        for a in 1 + 1e-3 * np.arange(turns + 1)
    ]
    forward, both = (median(column) for column in zip(*pairs[1:], strict=True))
    cost = both / forward - 1
    return Row(item, cost, "x", bound, cost <= bound, f"run {1e3 * forward:.0f} ms")


def squares(trace: Any) -> torch.Tensor | None:
    """Return the sum of squares of the nodal values at the end."""
    value: torch.Tensor = trace.state.values["u"].square().sum()
    return value if trace.last else None


def heat(side: int, steps: int = STEPS) -> dict[str, Any]:
    """Return the deck of a march with a number of steps."""
    return deck("m", side, "gamg", time={"stepper": "bdf2", "end": 0.01 * steps, "step": 0.01})


def resized(block: dict[str, Any], side: int) -> dict[str, Any]:
    """Return a deck with another number of cells."""
    return block | {"mesh": block["mesh"] | {"cells": [side, side]}}


def composed(block: dict[str, Any]) -> Run:
    """Return the run of a deck on this rank."""
    from mpi4py import MPI

    from plexus.compose import compose
    from plexus.deck.load import load
    from plexus.runtime import context

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "deck.yaml"
        path.write_text(yaml.safe_dump(block))
        return compose(load(path), context.create(MPI.COMM_SELF, path.parent))


def plain(run: Run, m: np.ndarray) -> None:
    """March the run on arrays, from its beginning to its end, with values of the control (nodes, 1)."""
    from plexus.fields.state import State
    from plexus.run.run import marching, stepper_of
    from plexus.stepping.march import March

    made, (clock, controller) = run.deck, marching(run.deck)
    system: Any = run.system
    system.controls.put({"m": m})
    state = State(system.start(), clock.t)
    march = March(system, state, clock, stepper_of(made, controller.tolerance), controller)
    march.advance()
    while not clock.done:
        march.advance()


def traced(run: Run, look: Look, m: np.ndarray, every: int | None = None) -> np.ndarray:
    """Return the gradient of the sum of what ``look`` sees with respect to m, (nodes, 1)."""
    from plexus.run.trace import Trace, gradient

    theta = {"m": torch.tensor(m, requires_grad=True)}
    found: np.ndarray = gradient(Trace.of(run, theta).total(look, every), theta, run)["m"].numpy()
    return found


def values(run: Run) -> np.ndarray:
    """Return the values of the control at the start, (nodes, 1)."""
    found: np.ndarray = run.system.controls.values["m"]
    return found


def cells(run: Run) -> int:
    """Return the number of cells of a run's mesh."""
    return int(run.system.spaces["u"].mesh.n_cells)


def seconds(work: Callable[[], object]) -> float:
    """Return the time that a call takes on its core [s], whatever else the machine does."""
    start = time.process_time()
    work()
    return time.process_time() - start
