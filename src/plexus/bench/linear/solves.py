"""One solve of one system by one method, measured: iterations, work, seconds, bytes, what is left in truth.

All methods get the same matrix, right-hand side and start at zero; conjugate gradients (flexible ones where
the preconditioner varies) end at ‖b - A x‖ ≤ rtol ‖b‖ in double precision. Options leave PETSc's database,
which holds 512, when a solver is done. Work is counted in passes over the entries of A: one for A p, and
what an application of the preconditioner takes, with all visits of coarse levels.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from petsc4py import PETSc

from plexus.bench.linear.methods import SLOW, Method
from plexus.bench.linear.peer import elsewhere
from plexus.bench.linear.systems import System
from plexus.solvers.capi import entries_below

PREFIX = "bench_"
RTOL, LIMIT = 1e-6, 3000
"""Tolerance of all tables, and iterations after which a method has failed."""
NOTHING: dict[str, Any] = {"iterations": 0, "converged": False, "complexity": 0.0, "setup": 0.0,
                           "solve": 0.0, "left": 1.0, "history": [1.0]}  # fmt: skip
"""What is told of a method that refuses a matrix."""
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass
class Solve:
    """What was measured.

    Attributes
    ----------
    system, method : names.
    at, along : what the figure is drawn against, and its name.
    iterations, converged : of the Krylov method.
    application, complexity : passes of one application; entries of all levels over those of A.
    setup, solve : seconds, the median where it was repeated.
    held : bytes beyond the matrix at the worst moment, all ranks; None where the machine does not tell.
    left : ‖b - A x‖/‖b‖, computed anew.
    ranks : processes.
    history : relative residual before each iteration and at the end.
    """

    system: str
    method: str
    at: float | None
    along: str
    iterations: int
    converged: bool
    application: float
    complexity: float
    setup: float
    solve: float
    held: int | None
    left: float
    ranks: int
    history: list[float] = field(repr=False)

    @property
    def work(self) -> float:
        """Return the passes over A of the whole solve."""
        return self.iterations * (1 + self.application)


def table(system: System, chosen: Sequence[Method], repetitions: int = 1, limit: int = LIMIT) -> list[Solve]:
    """Return one solve of each method, seconds as medians of rounds in alternating order. Collective.

    Slow methods have one round.
    """
    again = [m for m in chosen if m.name not in SLOW]
    rounds = [chosen, *((again, again[::-1])[k % 2] for k in range(1, repetitions))]
    every: dict[str, list[Solve]] = {m.name: [] for m in chosen}
    for methods in rounds:
        for method in methods:
            every[method.name].append(tried(system, method, limit))
    for solves in every.values():
        first = solves[0]
        first.setup, first.solve = median(s.setup for s in solves), median(s.solve for s in solves)
        # what the first solve of a process loads and compiles is none of the method's
        first.held = solves[-1].held
    return [solves[0] for solves in every.values()]


def tried(system: System, method: Method, limit: int = LIMIT, rtol: float = RTOL) -> Solve:
    """Return what was measured; without iterations where a method refuses the matrix. Collective."""
    try:
        if method.python is None:
            return solve(system, method, rtol, limit=limit)[0]
        told = elsewhere(system, method.python, rtol, limit)
        passes = (method.passes or 0) * told["complexity"]
    except (PETSc.Error, ArithmeticError):
        passes, told = 0.0, NOTHING
    return Solve(system=system.name, method=method.name, at=system.at, along=system.along, application=passes,
                 held=None, ranks=system.mat.comm.size, **told)  # fmt: skip


def solve(
    system: System,
    method: Method,
    rtol: float = RTOL,
    ksp: PETSc.KSP | None = None,
    limit: int = LIMIT,
) -> tuple[Solve, np.ndarray]:
    """Return what was measured and the own part of x. Collective.

    A solver that is set up already, by `prepared`, is ``ksp``: its set-up then took no time.
    """
    comm, before = system.mat.comm.tompi4py(), _resident()
    x = system.mat.createVecRight()
    with in_database(method):
        begin = time.perf_counter()
        given, ksp = ksp is not None, ksp or made(system.mat)
        comm.Barrier()
        between = time.perf_counter()
        ksp.setTolerances(rtol=rtol, atol=0.0, max_it=limit)
        ksp.setConvergenceHistory(limit + 1, reset=True)
        ksp.solve(system.rhs, x)
        comm.Barrier()
        end = time.perf_counter()
        most = _peak()
        held = None if most is None else comm.allreduce(most - before)
        # hypre gives its coarse matrices away when they are asked for, and cannot go on
        lasting = given and ksp.getPC().getType() == "hypre"
        application, complexity = (0.0, 0.0) if lasting else work(ksp, method)
    norm = system.rhs.norm()
    history = np.asarray(ksp.getConvergenceHistory()) / norm
    iterations, converged = ksp.getIterationNumber(), ksp.getConvergedReason() > 0
    found = Solve(
        system.name, method.name, system.at, system.along, iterations, converged,
        application, complexity, 0.0 if given else between - begin, end - between, held,
        _left(system, x) / norm, comm.size, history.tolist(),
    )  # fmt: skip
    values = x.getArray().copy()
    if not given:
        ksp.destroy()
    x.destroy()
    return found, values


def made(mat: PETSc.Mat) -> PETSc.KSP:
    """Return a solver of a matrix, set up with the options that are there. Collective."""
    ksp = PETSc.KSP().create(mat.comm)
    ksp.setOptionsPrefix(PREFIX)
    ksp.setType("cg")
    ksp.setOperators(mat)
    ksp.setFromOptions()
    ksp.setNormType(PETSc.KSP.NormType.UNPRECONDITIONED)
    ksp.setUp()
    ksp.setUpOnBlocks()
    return ksp


def prepared(system: System, method: Method) -> PETSc.KSP:
    """Return a solver of a system by a method, for `solve`. Collective."""
    with in_database(method):
        return made(system.mat)


def _left(system: System, x: PETSc.Vec) -> float:
    r = system.rhs.duplicate()
    system.mat.mult(x, r)
    r.aypx(-1.0, system.rhs)
    left = float(r.norm())
    r.destroy()
    return left


@contextmanager
def in_database(method: Method) -> Iterator[None]:
    """Let a method's options be in PETSc's database."""
    database = PETSc.Options(PREFIX)
    for name, value in method.options.items():
        database[name] = value
    yield
    for name in method.options:
        database.delValue(name)


def work(ksp: PETSc.KSP, method: Method) -> tuple[float, float]:
    """Return passes of an application, and entries of all levels over those of the matrix. Collective."""
    pc, mat = ksp.getPC(), ksp.getOperators()[1]
    if method.passes is None:
        hierarchy = pc.getPythonContext().hierarchy
        if hierarchy is None:  # its set-up has failed
            return 0.0, 0.0
        deeper = hierarchy.inner.matrices[1:] if hierarchy.inner else []
        entries = [m.entries for m in hierarchy.matrices + deeper]
        return float(hierarchy.work), sum(entries) / entries[0]
    if pc.getType() in ("gamg", "ml"):
        levels = [pc.getMGSmoother(k).getOperators()[1] for k in range(pc.getMGLevels())]
        complexity = sum(_entries(level) for level in levels) / _entries(mat)
    elif pc.getType() == "hypre":
        complexity = 1 + sum(entries_below(pc)) / _entries(mat)
    else:
        complexity = 1.0
    return method.passes * complexity, complexity


def _entries(mat: PETSc.Mat) -> float:
    return float(mat.getInfo(PETSc.Mat.InfoType.GLOBAL_SUM)["nz_used"])


def _resident() -> int:
    """Return the resident bytes of this process, of which the largest number is forgotten; 0 if not told."""
    if not STATUS.is_file():
        return 0
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    RESET.write_text("5")
    return _status("VmRSS")


def _peak() -> int | None:
    """Return the largest resident bytes since `_resident`."""
    return _status("VmHWM") if STATUS.is_file() else None


def _status(name: str) -> int:
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(lines[name].split()[0]) * 1024
