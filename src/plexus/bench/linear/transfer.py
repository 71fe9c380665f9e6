"""Learned multigrids on families that they were not trained on, and by how much trainings differ.

``plexus bench linear:transfer`` trains for some minutes, and is made when it is asked for. Trainings see 16³
cells and seeds below 16, tests larger grids and seeds from 2000 on. Both numbers of a test have the same
aggregates, cycle and kernels.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from plexus import registry
from plexus.bench.job import plexus
from plexus.bench.linear.grids import Found
from plexus.bench.table import Row
from plexus.solvers import shipped
from plexus.solvers.multigrid import bundle
from plexus.solvers.multigrid.hierarchy import Settings
from plexus.solvers.multigrid.network import Network
from plexus.solvers.multigrid.trials import Whole, both, system_of

FAMILIES: dict[str, dict[str, Any]] = {"channels": {}, "obstacles": {"layout": "random"}, "lognormal": {}}
ALONE, TOGETHER = ("channels", "obstacles", "lognormal"), ("channels", "obstacles")
"""Families with a training of their own, and those of one together."""
CYCLE = "k"
STAGES: list[dict[str, Any]] = [{"type": "conjugate_gradients", "steps": 60, "iterations": 4, "batch": 2}]
AGAIN = (0, 1, 2)
"""Seeds of the training on families together."""
TESTS, LARGE = range(2000, 2006), range(2000, 2002)
"""Seeds of tests at 32³, and at 128³."""


def transfer() -> Found:
    """Return what each training does on each family, and what shipped networks do on large grids."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        for family in ALONE:
            rows += matrix((family,), trained((family,), 0, Path(name) / family))
        several = [trained(TOGETHER, seed, Path(name) / str(seed)) for seed in AGAIN]
    return [], [*rows, *matrix(TOGETHER, several[0]), *spread(several), *large()]


def trained(
    families: Sequence[str], seed: int, folder: Path, stages: list[dict[str, Any]] | None = None
) -> Network:
    """Return the networks of a training on families from a seed; stages are those of `STAGES` or others."""
    problems = [_problem(name, 16, 0) for name in families]
    data = {"type": "systems", "problems": problems}
    deck = {
        "plexus": 1,
        "physics": {"type": "matrix", "problem": problems[0]},
        "solver": {"u": {"preconditioner": {"type": "learned_multigrid", "cycle": CYCLE, "seed": seed}}},
        "train": {
            "data": data | {"seeds": [0, 16]},
            "stages": stages or STAGES,
            "validation": data | {"seeds": [1000, 1001]},
            "seed": seed,
        },
    }
    return bundle.load(plexus(deck, 1, folder, "train").facts["bundle"])


def _problem(name: str, cells: int, seed: int) -> dict[str, Any]:
    return {"type": name, "cells": [cells] * 3, "seed": seed, **FAMILIES[name]}


def counts(
    network: Network, name: str, cells: int, seeds: Sequence[int], cycle: str = CYCLE
) -> list[tuple[int, int]]:
    """Return the iterations with networks and without on systems of a family."""
    settings = Settings(cycle=cycle)
    return [both(system, settings, network) for system in systems(name, cells, seeds)]


def systems(name: str, cells: int, seeds: Sequence[int]) -> Iterator[Whole]:
    """Yield systems of a family."""
    member = registry.component("problem", name)
    for seed in seeds:
        given = {k: v for k, v in _problem(name, cells, seed).items() if k != "type"}
        yield system_of(member.cls(member.params.model_validate(given)))


def matrix(families: Sequence[str], network: Network) -> Iterator[Row]:
    """Yield a row of each family that networks of a training are tested on."""
    for name in FAMILIES:
        yield line(
            f"trained on {' and '.join(families)}: {name} 32³, cycle {CYCLE}",
            counts(network, name, 32, TESTS),
        )


def line(label: str, found: Sequence[tuple[int, int]]) -> Row:
    """Return the mean iterations with networks over those without, and where they do harm."""
    learned, without = (mean(c[k] for c in found) for k in (0, 1))
    worse = sum(a > b for a, b in found)
    told = f"{learned:.2f}, without {without:.2f}, {max(a - b for a, b in found):+d} at most"
    told += f", HURTS {worse} of {len(found)}" if worse else ""
    return Row(label, learned / without, "x", peer=told)


def spread(several: Sequence[Network]) -> Iterator[Row]:
    """Yield how far trainings from several seeds are apart on each of their families."""
    for name in TOGETHER:
        means = [mean(c[0] for c in counts(network, name, 32, TESTS)) for network in several]
        told = " ".join(f"{m:.2f}" for m in means)
        yield Row(
            f"{name} 32³: spread of {len(means)} trainings", max(means) - min(means), "iterations", peer=told
        )


def large() -> Iterator[Row]:
    """Yield what shipped networks do at 128³."""
    for bundled in shipped.names("learned_multigrid"):
        path = str(shipped.found("learned_multigrid", bundled))
        network, cycle = bundle.load(path), bundle.trained_for(path)["cycle"]
        for name in FAMILIES:
            yield line(f"{bundled}: {name} 128³, cycle {cycle}", counts(network, name, 128, LARGE, cycle))
