"""Classes of problems on grids: seeds from 2000 on, which no training sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from statistics import mean
from typing import Any

from mpi4py import MPI

from plexus.bench.linear.methods import SLOW, Method, methods
from plexus.bench.linear.report import average, lines, most, of, spread, times
from plexus.bench.linear.solves import Solve, prepared, solve, table
from plexus.bench.linear.systems import System, of_problem
from plexus.bench.table import Row

COMM = MPI.COMM_SELF
SEEDS = range(2000, 2020)
FEW = 10
"""Of how many systems slow methods get one."""
GENTLE = (*SLOW, "BoomerAMG GPU")
HEAVY = (*GENTLE, "BoomerAMG")
"""Slow methods, and those where coefficients jump: the coarse matrices of the last one fill."""
CUBE = [64, 64, 64]
CONTRASTS = (1e2, 1e3, 1e4, 1e6, 1e8)
DEEPER = {"two_step degree 4": {"degree": 4}}
SHALLOWER = {"v degree 2": {"cycle": "v", "degree": 2}}
"""Where a set-up serves one solve of an easy system, fewer passes do."""
STEPS = 20
Found = tuple[list[Solve], list[Row]]


def each(
    systems: Iterator[System], rare: Sequence[str], more: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Solve]:
    """Return the solves of all systems by all methods; by rare ones of every so many."""
    found: list[Solve] = []
    for number, system in enumerate(systems):
        chosen = [m for m in methods(system.mat, more) if number % FEW == 0 or m.name not in rare]
        found += table(system, chosen)
    return found


def channels() -> Found:
    """Return thin channels of high conductivity, and one geometry at growing contrast."""
    label = "channels 64³"
    seeds = each((of_problem(COMM, "channels", cells=CUBE, seed=s) for s in SEEDS), HEAVY)
    fixed = []
    for contrast in CONTRASTS:
        system = of_problem(
            COMM, "channels", (contrast, "contrast"), cells=CUBE, seed=2000, contrast=contrast
        )
        fixed += table(system, [m for m in methods(system.mat) if m.name not in HEAVY])
    rows = [
        *lines(label, seeds),
        average(label, seeds, 10.5),
        most(label, seeds, 13),
        spread("channels 64³, contrast 1e2 to 1e8", fixed, 5),
        times(label, seeds, 0.45),
    ]
    return seeds + fixed, rows


def obstacles() -> Found:
    """Return Poisson's equation around balls, boxes and plates."""
    label = "obstacles 64³"

    def systems() -> Iterator[System]:
        for s in SEEDS:
            yield of_problem(COMM, "obstacles", cells=CUBE, layout="random", seed=s)
        yield of_problem(COMM, "obstacles", cells=CUBE)
        yield of_problem(COMM, "plates", cells=CUBE)

    found = each(systems(), GENTLE, DEEPER)
    four, theirs = of(found, "two_step degree 4"), of(found, "BoomerAMG")
    more = mean(s.iterations for s in four) - mean(s.iterations for s in theirs)
    ratio = mean(s.work for s in four) / mean(s.work for s in theirs)
    rows = [
        *lines(label, found),
        most(label, found, 7),
        Row(f"{label}: degree 4 less BoomerAMG", more, "iterations", 0.3, more <= 0.3),
        Row(f"{label}: WU of degree 4 over BoomerAMG", ratio, "x", 0.6, ratio <= 0.6),
        times(label, found, 0.35),
    ]
    return found, rows


def condiff() -> Found:
    """Return the published sets of random media on squares, and larger grids of the same fields."""
    kinds = ("cubic", "exponential", "gaussian")
    sets = [*product((64, 128), kinds, (0.1, 0.4, 1.0, 2.0)), *product((256, 512), kinds, (2.0,))]
    systems = (
        of_problem(
            COMM, "condiff", (n, "cells per axis"), cells=[n, n], covariance=kind, variance=v, seed=2000
        )
        for n, kind, v in sets
    )
    label = "condiff 64² to 512²"
    found = each(systems, ("PyAMG",))
    return found, [*lines(label, found), average(label, found, 8), most(label, found, 9)]


def lognormal() -> Found:
    """Return log-normal media in a cube."""
    found = each((of_problem(COMM, "lognormal", cells=CUBE, seed=s) for s in SEEDS), HEAVY)
    return found, list(lines("log-normal 64³", found))


def moving() -> Found:
    """Return a sphere that crosses a cube, another matrix each step, and set-ups that stay as they were."""
    systems = [
        of_problem(COMM, "moving_obstacle", (k, "step"), float(k), cells=CUBE, duration=STEPS - 1.0)
        for k in range(STEPS)
    ]
    found = each(iter(systems), HEAVY, SHALLOWER)
    ours = next(m for m in methods(systems[0].mat) if m.name == "BoomerAMG ours")
    found += _frozen(systems[::FEW], ours)
    return found, [*lines("moving obstacle 64³", found), *_sums(found)]


def _frozen(systems: Sequence[System], method: Method) -> list[Solve]:
    """Return the solves of all systems by the set-up of the first."""
    first, found = systems[0], []
    fresh = solve(first, method)[0]
    ksp = prepared(first, method)
    ksp.getPC().setReusePreconditioner(True)
    for system in systems:
        ksp.setOperators(system.mat, first.mat)
        kept = solve(system, method, ksp=ksp)[0]
        kept.application, kept.complexity = fresh.application, fresh.complexity
        found.append(replace(kept, method=f"{method.name}, frozen"))
    ksp.destroy()
    return found


def _sums(found: Sequence[Solve]) -> Iterator[Row]:
    """Yield work and seconds of all steps over those of fresh BoomerAMG."""

    def sums(method: str) -> tuple[float, float, float]:
        mine = of(found, method)
        setup = sum(s.setup for s in mine)
        return sum(s.work for s in mine), setup, setup + sum(s.solve for s in mine)

    (mine,) = SHALLOWER
    words = ("WU", "set-up", "set-up and solve")
    for word, bound, a, b in zip(words, (0.7, 0.25, 0.4), sums(mine), sums("BoomerAMG ours"), strict=True):
        told = f"{mine} {a:.4g}, BoomerAMG ours {b:.4g}"
        yield Row(f"moving obstacle: {word} over fresh BoomerAMG", a / b, "x", bound, a / b <= bound, told)
    kept = of(found, "BoomerAMG ours, frozen")
    work, seconds = (mean(x) for x in ([s.work for s in kept], [s.solve for s in kept]))
    told = f"WU {work:.4g}, the set-up is that of the first step"
    yield Row("moving obstacle: frozen BoomerAMG, per step", seconds, "s", peer=told)
