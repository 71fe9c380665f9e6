"""Spectra of M A with networks and without, and what networks make of couplings, for `plexus-post linear`.

Eigenvalues are Ritz values of Lanczos steps in double precision, at most `STEPS`, whose ends have converged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from plexus import registry
from plexus.bench import keep
from plexus.bench.linear.grids import Found
from plexus.bench.linear.report import FOLDER
from plexus.bench.table import Row
from plexus.solvers import shipped
from plexus.solvers.multigrid import bundle, lanczos
from plexus.solvers.multigrid.hierarchy import Hierarchy, Settings
from plexus.solvers.multigrid.learned import Learned
from plexus.solvers.multigrid.trials import Whole, hierarchy, system_of

CELLS, STEPS = 32, 30
SHOWN = (
    ("channels", {"seed": 2000}, "two_step", "grids_k"),
    ("obstacles", {"layout": "random", "seed": 2000}, "v", "obstacles_v"),
)
"""Member, parameters, cycle, bundle."""


def spectra() -> Found:
    """Return the ends of the spectra, and store them whole with slices of factors."""
    told: dict[str, list[dict[str, Any]]] = {"spectra": [], "slices": []}
    rows = []
    for name, given, cycle, networks in SHOWN:
        member = registry.component("problem", name)
        problem = member.cls(member.params.model_validate({"cells": [CELLS] * 3, **given}))
        system = system_of(problem)
        skeleton = hierarchy(system, Settings(cycle=cycle, bits=64))
        learned = Learned(skeleton, bundle.load(_file(networks)))
        label = f"{name} {CELLS}³, seed {given['seed']}"
        for method, made in ((cycle, skeleton), (f"{cycle}, learned", learned)):
            found = _values(system, made)
            told["spectra"].append({"system": label, "method": method, "values": found.tolist()})
            words = f"from {found[0]:.3f} to {found[-1]:.3f}"
            rows.append(Row(f"{label}: condition of M A, {method}", found[-1] / found[0], "", peer=words))
        told["slices"].append({"system": label, **_slice(problem, system, skeleton, learned)})
    keep(FOLDER / "spectra.json", json.dumps(told, ensure_ascii=False))
    return [], rows


def _file(name: str) -> str:
    return str(shipped.found("learned_multigrid", name))


def _values(system: Whole, made: Hierarchy) -> np.ndarray:
    """Return Ritz values of M A."""
    n, cycle = system[0].n, made.cycle

    def call(function: Any) -> lanczos.Operator:
        def run(x: np.ndarray) -> np.ndarray:
            y = np.empty(n)
            function(x, y, 0)
            return y

        return run

    product = call(cycle.product)
    return lanczos.values(product, call(cycle.apply), lambda a, b: float(a @ b), system[2], STEPS)


def _slice(problem: Any, system: Whole, skeleton: Hierarchy, learned: Hierarchy) -> dict[str, Any]:
    """Return coefficient or fluid, and mean log₂ factors of an aggregate's couplings, on the middle layer."""
    places, names = system[1], skeleton.levels[0].names
    assert places is not None
    assert names is not None
    shown = np.full(problem.cells, np.nan)
    shown[tuple(places[names >= 0].T)] = _factors(skeleton, learned)[names[names >= 0]]
    known = problem.coefficient()
    beside = ~np.isnan(shown) * 1.0 if known is None else np.log10(known)
    layer = CELLS // 2
    return {
        "beside": "fluid" if known is None else "log₁₀ coefficient",
        "coefficient": list(_plain(beside[:, layer])),
        "factors": list(_plain(shown[:, layer])),
    }


def _factors(skeleton: Hierarchy, learned: Hierarchy) -> np.ndarray:
    """Return the mean of log₂ m over the couplings of each row of the first coarse matrix."""
    before, after = (h.matrices[1].rows for h in (skeleton, learned))
    at = np.repeat(np.arange(len(before.ptr) - 1), np.diff(before.ptr))
    on = (before.val < 0) & (before.col != at)
    logs = np.log2(after.val[on] / before.val[on])
    count = np.bincount(at[on], minlength=len(before.ptr) - 1)
    return np.bincount(at[on], logs, len(count)) / np.maximum(count, 1)


def _plain(values: np.ndarray) -> Iterator[list[float | None]]:
    """Yield rows of numbers, None where there is none."""
    for row in values:
        yield [None if np.isnan(x) else float(x) for x in row]
