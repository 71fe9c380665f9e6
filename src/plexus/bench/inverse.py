"""An inverse problem beside SciPy: the gradient of a misfit with respect to a conductivity at all nodes.

    -∇·(k ∇u) = 1,    k = m(x) or m(x) (1 + u),    J = Σ_s (u_s - d_s)²

at sensors s. The peer (`peers/scipy_inverse.py`) has the same mesh, its own assembly in NumPy and SuperLU,
whose transposed solve is the adjoint. A turn is solution and gradient together; both sides take turns, and
their gradients must be equal. Each turn has other values of m.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from plexus.bench.assembly import Peer, interpreter, one_core
from plexus.bench.gradients import composed, deck, seconds, traced
from plexus.bench.table import Row

if TYPE_CHECKING:
    from plexus.coupling.system import System
    from plexus.run import Run
    from plexus.run.trace import Trace

BOUND, EQUAL, RTOL = 1.0, 1e-8, 1e-12
CASES = {"k(x)": "m", "k(x) (1 + u)": "m*(1 + u)"}
"""Item -> coefficient of the deck."""
SOLVER = {"type": "lu", "package": "petsc"}
"""What is fastest on one rank for these sizes."""


def inverse(sides: tuple[int, ...] = (60, 120), turns: int = 7) -> list[Row]:
    """Return the rows of all cases; the measured number is our time over the peer's."""
    with one_core():
        return [row for side in sides for item in CASES for row in beside_scipy(item, side, turns)]


def beside_scipy(item: str, side: int, turns: int) -> list[Row]:
    """Measure one case: A B A B …, the ratio of the medians, and how far the gradients are apart."""
    label, python = f"gradient of {item}, {(side + 1) ** 2} nodes", interpreter("scipy")
    given = deck(CASES[item], side, SOLVER)
    given["solver"]["u"]["snes_rtol"] = RTOL
    run = composed(given)
    job = problem(run)

    def misfit(trace: Trace) -> torch.Tensor:
        off = trace.state.values["u"][job["sensors"], 0] - torch.from_numpy(job["data"])
        return off.square().sum()

    def ours(scale: float) -> np.ndarray:
        return traced(run, misfit, scale * job["m"][:, None])

    mine, scales = ours(1.0), 1 + 1e-3 * np.arange(1, turns + 1)
    if python is None:
        own = median(seconds(partial(ours, a)) for a in scales)
        return [Row(label, own, "s", peer="SciPy is not installed (Debian: python3-scipy)")]
    with tempfile.TemporaryDirectory() as folder:
        path, result = Path(folder) / "job.npz", Path(folder) / "result.npy"
        np.savez(path, **job)
        with Peer(python, "scipy_inverse.py", job=str(path), bent=item != "k(x)", rtol=RTOL) as peer:
            peer.ask(result=str(result))
            theirs = np.load(result)
            pairs = [(seconds(partial(ours, a)), peer.ask(scale=a)["seconds"]) for a in scales]
    apart = float(np.abs(mine[:, 0] - theirs).max() / np.abs(theirs).max())
    own, other = (median(column) for column in zip(*pairs, strict=True))
    text = f"SciPy {peer.started['version']} {1e3 * other:.1f} ms, Plexus {1e3 * own:.1f} ms"
    return [
        Row(label, own / other, "x", BOUND, own <= BOUND * other, text),
        Row(f"{label}: difference", apart, "1", EQUAL, apart <= EQUAL, "of the largest entry"),
    ]


def problem(run: Run) -> dict[str, np.ndarray]:
    """Return mesh, held nodes, m, sensors and data, as the peer reads them."""
    system, draw = cast("System", run.system), np.random.default_rng(1)
    space, form = system.spaces["u"], system.forms["u"]
    fixed = form.fixed
    assert fixed is not None  # sides are held
    sensors = draw.choice(space.n_owned, 20, replace=False)
    return {
        "points": space.points,
        "cells": space.cell_nodes,
        "held": np.flatnonzero(fixed[:, 0]),
        "m": system.controls.values["m"][:, 0],
        "sensors": sensors,
        "data": 0.1 * draw.random(20),
    }
