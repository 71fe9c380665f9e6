"""Transforms beside mpi4py-fft on one and two ranks, and a whole spectral step beside NumPy with pyFFTW.

Transforms: a batch of fields forward and back, on slabs, one core per rank. mpi4py-fft plans by measuring and
works into arrays of its own; our times contain the arrays that every call makes. The step is that of the
active fluid with the Bingham closure and semi-implicit BDF2 on one core. Both sides take turns in processes
of their own, and each figure is the fastest of all repetitions: what others do on the machine only adds to
it. Both sides must find the same numbers.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from plexus.bench.assembly import interpreter, one_core
from plexus.bench.job import timed
from plexus.bench.table import Row
from plexus.launch import environment, prefix
from plexus.runtime.interpreter import python

TRANSFORM_BOUND, STEP_BOUND = 0.8, 1.5
"""Least ratios of the peer's time to ours."""
CASES: dict[str, dict[str, Any]] = {
    "9 complex fields, 64²": {"cells": [64, 64], "batch": 9, "real": False, "repetitions": 300},
    "9 complex fields, 256²": {"cells": [256, 256], "batch": 9, "real": False, "repetitions": 40},
    "9 real fields, 256²": {"cells": [256, 256], "batch": 9, "real": True, "repetitions": 60},
    "3 real fields, 64³": {"cells": [64, 64, 64], "batch": 3, "real": True, "repetitions": 40},
}
"""Item -> job of `plexus.bench.spectraljob`."""
MEDIUM = {"alpha": -3.0, "beta": 0.8, "zeta": 1.0, "d_T": 0.05, "d_R": 0.05}


def run(rounds: int = 3, cells: tuple[int, ...] = (64, 256), ranks: tuple[int, ...] = (1, 2)) -> list[Row]:
    """Measure all cases; the rows hold the peer's time over ours."""
    rows = [transform(item, n, rounds) for item in CASES for n in ranks]
    with one_core(), tempfile.TemporaryDirectory() as folder:
        return rows + [step(n, rounds, Path(folder)) for n in cells]


def transform(item: str, ranks: int, rounds: int) -> Row:
    """Measure one batch of transforms on a number of ranks."""
    job, label = json.dumps(CASES[item]), f"{item}, {ranks} rank{'s' * (ranks > 1)}"
    peer = interpreter("mpi4py_fft")
    ours = python("plexus.bench.spectraljob", "transforms", job)
    if peer is None:
        mine = min(_facts(ours, ranks)["seconds"])
        why = "mpi4py-fft is not installed (Debian: python3-mpi4py-fft)"
        return Row(label, 1e3 * mine, "ms", None, None, why)
    theirs = [peer, str(files("plexus.bench") / "peers" / "mpi4py_fft_transforms.py"), job]
    pairs = [(_facts(ours, ranks), _facts(theirs, ranks)) for _ in range(rounds)]
    a, b = pairs[0]
    if abs(a["square"] - b["square"]) > 1e-12 * b["square"] or max(a["error"], b["error"]) > 1e-12:
        raise RuntimeError(f"{label}: modes differ: {a['square']} here, {b['square']} in mpi4py-fft")
    mine, other = (min(min(pair[side]["seconds"]) for pair in pairs) for side in (0, 1))
    text = f"mpi4py-fft {b['version']} {1e3 * other:.3f} ms, Plexus {1e3 * mine:.3f} ms"
    return Row(label, other / mine, "x", TRANSFORM_BOUND, other / mine >= TRANSFORM_BOUND, text)


def step(cells: int, rounds: int, folder: Path) -> Row:
    """Measure one step of the active fluid on cells² points."""
    label, steps = f"active fluid, Bingham, {cells}²: step", min(400, max(20, 2**21 // cells**2))
    job: dict[str, Any] = {
        "cells": cells,
        "length": 10.0,
        "step": 0.002,
        "ahead": 5,
        "untimed": 4,
        "steps": steps,
    }
    job |= {"medium": MEDIUM, "state": str(folder / f"{cells}.npz")}
    ours = python("plexus.bench.spectraljob", "march")
    peer = str(files("plexus.bench") / "peers" / "numpy_active_fluid.py")
    theirs = [interpreter("pyfftw") or sys.executable, peer]
    pairs = []
    for _ in range(rounds):
        results = [str(folder / f"{cells}{side}.npy") for side in ("ours", "theirs")]
        mine = _facts([*ours, json.dumps(job | {"result": results[0]})], 1)
        (folder / "job.json").write_text(json.dumps(job | {"result": results[1]}))
        pairs.append((mine, _facts([*theirs, str(folder / "job.json")], 1)))
        a, b = (np.load(result) for result in results)
        if np.abs(a - b).max() > 1e-7 * np.abs(b).max():
            raise RuntimeError(f"{label}: moments differ by {np.abs(a - b).max()} after {steps} steps")
    own, other = (min(min(pair[side]["seconds"]) for pair in pairs) for side in (0, 1))
    text = f"{pairs[0][1]['library']} {1 / other:.4g} steps/s, Plexus {1 / own:.4g} steps/s"
    # small steps are reported only: calls, not transforms, take their time
    bound = STEP_BOUND if cells >= 256 else None
    return Row(label, other / own, "x", bound, None if bound is None else other / own >= bound, text)


def _facts(command: list[str], ranks: int) -> dict[str, Any]:
    """Return the JSON object on the last line that a command prints."""
    start = prefix(ranks) if ranks > 1 else []
    _, text = timed([*start, *command], environment() | {"OMP_NUM_THREADS": "1"})
    return json.loads(text.strip().splitlines()[-1])
