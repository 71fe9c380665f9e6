"""The integration of a law with memory: compiled over lanes against chunked NumPy.

Cyclic viscoplasticity with one back strain and N = 30, stress with consistent tangent and memory at the end
of the step, at points of which a share flows. The peer is the same formula on arrays, in chunks that stay in
cache. The least time is that of writing the answer: 111 numbers per point.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from plexus.bench.table import Row
from plexus.laws import _flow

CELLS, POINTS, CHUNK, REPEATS = 12_500, 8, 512, 15
FASTER, AGREE = 20.0, 1e-9
"""Bounds: rate relative to NumPy, and largest difference relative to the largest stress."""
NUMBERS = 9 + 81 + 9 + 9 + 1 + 2
LAW = {
    "young_modulus": 200e3, "poisson_ratio": 0.3, "yield_stress": 10,
    "back_stresses": [{"modulus": 1e5, "recall": 1000}], "viscosity": {"drag": 300, "exponent": 30},
}  # fmt: skip


def run() -> list[Row]:
    """Return times per point, rates relative to NumPy, and the share of the memory's rate."""
    from plexus.registry import component

    chosen = component("law", "chaboche")
    law = chosen.cls(chosen.params.model_validate(LAW))
    rows = []
    for share in (1.0, 0.2):
        strain, p = _states(law, share)
        rows += _compared(law, strain, p, share)
    return rows


def _compared(law: Any, strain: np.ndarray, p: Any, share: float) -> list[Row]:
    """Return the rows of one share of points that flow."""
    work = (_written, lambda: _in_batches(law, strain, p), lambda: _chunked(law, strain, p))
    # one after the other, so that what else the machine does meets all three
    copy, fast, slow = np.array([[_timed(one) for one in work] for _ in range(REPEATS)]).T
    answer, other = law.respond(p, strain, tangent=True, memory=True), _chunked(law, strain, p)
    flowing = float((answer.memory["p"] > p.before["p"]).mean())
    apart = float(np.abs(answer.stress - other).max() / np.abs(other).max())
    count, ratio = strain[..., 0, 0].size, float(np.median(slow / fast))
    name = f"{count:,} points, {100 * flowing:.0f} % flow"
    return [
        Row(f"{name}: per point", 1e6 * float(np.median(fast)) / count, "µs"),
        Row(f"{name}: faster than NumPy", ratio, "x", FASTER, ratio >= FASTER, f"chunks of {CHUNK} cells"),
        Row(
            f"{name}: share of the time that writing as many numbers takes",
            float(np.median(copy / fast)),
            "",
        ),
        Row(f"{name}: largest difference of stress", apart, "", AGREE, apart <= AGREE, "NumPy"),
    ]


def _written() -> None:
    """Write as many numbers as an answer has, batch by batch."""
    for _ in range(0, CELLS, CHUNK):
        np.full(CHUNK * POINTS * NUMBERS, 1.0)


def _timed(work: Callable[[], Any]) -> float:
    """Return the CPU seconds of some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def _states(law: Any, share: float) -> tuple[np.ndarray, Any]:
    """Return strains, and a point with a memory of two steps; a share of the points is strained."""
    rng, shape = np.random.default_rng(0), (CELLS, POINTS)
    before = {s.name: np.zeros(shape if s.shape == "scalar" else (*shape, 9)) for s in law.internal}
    strain, moves = np.zeros((*shape, 3, 3)), (rng.random(shape) < share)[..., None, None]
    for step in range(3):
        e = 1.5e-3 * rng.standard_normal((*shape, 3, 3))
        strain = strain + moves * (e + e.swapaxes(2, 3)) / 2
        p = SimpleNamespace(
            x=np.zeros((1, 1, 3)), one=np.ones((1, 1)), dt=1.0, before=before, t=0.0, fields={}
        )
        if step < 2:
            before = {**before, **law.respond(p, strain, memory=True).memory}
    return strain, p


def _in_batches(law: Any, strain: np.ndarray, p: Any) -> None:
    """Let the law answer in batches of cells, as forms ask it."""
    for start in range(0, len(strain), CHUNK):
        part = slice(start, start + CHUNK)
        here = SimpleNamespace(**{**vars(p), "before": {n: a[part] for n, a in p.before.items()}})
        law.respond(here, strain[part], tangent=True, memory=True)


def _chunked(law: Any, strain: np.ndarray, p: Any) -> np.ndarray:
    """Return the stress by the formula on arrays, chunk by chunk, with tangent and memory beside it."""
    data, found = law.data(p), np.empty_like(strain)
    backs = [s.name for s in law.back_specs]
    for start in range(0, len(strain), CHUNK):
        part = slice(start, start + CHUNK)
        memory = {
            n: a[part].reshape(*a[part].shape[:2], *((3, 3) if a.ndim == 3 else ()))
            for n, a in p.before.items()
        }
        before = _flow.Memory(memory["plastic_strain"], memory["p"], [memory[n] for n in backs])
        found[part] = _flow.respond(strain[part], before, p.dt, data, slope=True)[0]
    return found
