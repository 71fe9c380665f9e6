"""Learned directions beside conjugate gradients and multigrid, to ‖r‖ ≤ 1e-4 ‖b‖ on the plume's systems.

Each network is tried under the published iteration (`conjugate_directions`) and under PETSc's flexible
conjugate gradients of two stored directions. Work has the operations of the network, the two products by
which its answers are watched, and the product in which the published iteration computes the residual anew.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from mpi4py import MPI
from petsc4py import PETSc

from plexus.bench.linear.grids import Found
from plexus.bench.linear.methods import Method, methods
from plexus.bench.linear.report import lines, of
from plexus.bench.linear.solves import PREFIX, Solve, in_database, solve
from plexus.bench.linear.systems import System, of_problem
from plexus.bench.table import Row
from plexus.solvers import shipped
from plexus.solvers.directions import bundle
from plexus.solvers.directions.context import Directions
from plexus.solvers.directions.krylov import STORED, install

if TYPE_CHECKING:
    from plexus.protocols import OptionValue

COMM = MPI.COMM_SELF
RTOL = 1e-4
PROBLEMS = {("empty", 32): 0.5, ("many", 32): 0.7, ("empty", 64): None, ("many", 64): None}
"""Layout and cells per axis -> iterations over those of conjugate gradients, at most."""
RIVALS = ("two_step", "learned grids_k")
FEWER, LESS = 1 / 3, 1 / 100
"""Of iterations and of operations, what the learned multigrid should take at most."""
HELD = "lite_32"
"""The network of the published form, for which the bounds are."""
FLEXIBLE: dict[str, OptionValue] = {
    "ksp_type": "fcg", "ksp_fcg_mmax": STORED, "ksp_fcg_truncation_type": "standard",
}  # fmt: skip
WATCH = 2.0
"""Products with A that compare an answer with the residual."""


def directions() -> Found:
    """Return the plume's systems, without obstacles and with many."""
    found: list[Solve] = []
    rows: list[Row] = []
    for (layout, n), bound in PROBLEMS.items():
        system = of_problem(COMM, "plume", cells=[n] * 3, layout=layout)
        mine = solves_of(system)
        label = f"plume, {layout} {n}³"
        rows += [*lines(label, mine), *compared(label, mine, bound)]
        found += mine
    return found, rows


def solves_of(system: System) -> list[Solve]:
    """Return the solves of one system by all methods."""
    plain = Method("CG", {"pc_type": "none"}, 0.0)
    rivals = [m for m in methods(system.mat) if m.name in RIVALS]
    found = [solve(system, method, RTOL)[0] for method in (plain, *rivals)]
    for name in shipped.names(bundle.TYPE):
        found += [_directed(system, name, flexible) for flexible in (False, True)]
    return found


def _directed(system: System, name: str, flexible: bool) -> Solve:
    """Return a solve along a network's directions."""
    begin = time.perf_counter()
    network, entries = bundle.load(shipped.found(bundle.TYPE, name) or ""), system.mat.getInfo()["nz_used"]
    passes = network.plan.flops * system.mat.getSize()[0] / (2 * entries) + WATCH
    words = f"{name}, FCG({STORED})" if flexible else name
    method = Method(f"directions {words}", FLEXIBLE if flexible else {}, passes + (not flexible))
    context, ksp = Directions("", network=network), PETSc.KSP().create(COMM)
    ksp.setOptionsPrefix(PREFIX)
    if not flexible:
        install(ksp, context)
    ksp.setOperators(system.mat)
    ksp.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    ksp.getPC().setType("python")
    ksp.getPC().setPythonContext(context)
    with in_database(method):
        ksp.setFromOptions()
        ksp.setUp()
    setup = time.perf_counter() - begin
    found, _ = solve(system, method, RTOL, ksp)
    ksp.destroy()
    return replace(found, setup=setup)


def compared(label: str, solves: Sequence[Solve], bound: float | None) -> Iterator[Row]:
    """Yield a network's iterations over those of conjugate gradients, and what multigrid needs instead."""
    (plain,), (rival,) = of(solves, "CG"), of(solves, RIVALS[-1])
    for name in shipped.names(bundle.TYPE):
        (mine,), (other,) = (of(solves, f"directions {n}") for n in (name, f"{name}, FCG({STORED})"))
        told = f"{mine.iterations} of {plain.iterations}"
        for what, ratio, most in (
            (f"iterations of {name} over CG", mine.iterations / plain.iterations, bound),
            (f"iterations of {rival.method} over {name}", rival.iterations / mine.iterations, FEWER),
            (f"operations of {rival.method} over {name}", rival.work / mine.work, LESS),
        ):
            held = most if name == HELD else None
            holds = None if held is None else mine.converged and ratio <= held
            yield Row(f"{label}: {what}", ratio, "x", held, holds, told)
        apart = abs(mine.iterations - other.iterations)
        yield Row(f"{label}: {name} and FCG({STORED}) apart", apart, "iterations", 1, apart <= 1)
