"""Re-assembly of a stiffness matrix into an existing PETSc matrix, beside DOLFINx on the same core.

The unit cube is cut into n³·6 tetrahedra and held at x = 0. Plexus' side is `Form.jacobian` as the solvers
call it: element matrices, elimination of the held unknowns, PETSc's COO insertion. The peer's side is
``zeroEntries``, ``assemble_matrix`` and ``assemble``. Both sides live at the same time and take turns, so
that a busy machine slows both; each figure is a median. Both matrices must have the same norm.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from statistics import median
from typing import Any

import numpy as np

from plexus.bench.table import Row

BOUND = 2.0
"""Least ratio of the peer's time to ours."""

CASES: dict[str, tuple[str, int, dict[str, Any]]] = {
    "P1 Poisson": ("poisson1", 1, {"type": "diffusion", "coefficient": 1.0}),
    "P2 Poisson": ("poisson2", 2, {"type": "diffusion", "coefficient": 1.0}),
    # λ = 0.6 and μ = 0.4 as in the peer's script
    "P1 elasticity": (
        "elasticity1", 1, {"type": "elasticity", "material": {"young_modulus": 1.04, "poisson_ratio": 0.3}},
    ),
}  # fmt: skip
"""Item -> (case of the peer's script, degree, physics block)."""


def run(cells: int = 40, repetitions: int = 11) -> list[Row]:
    """Measure all cases on cells³·6 tetrahedra; the rows hold the peer's time over ours."""
    with one_core():
        return [measure(item, cells, repetitions) for item in CASES]


def measure(item: str, cells: int, repetitions: int) -> Row:
    """Measure one case: A B A B …, then the ratio of the medians."""
    case, degree, physics = CASES[item]
    label = f"{item}, {6 * cells**3} tets"
    ours, norm = plexus_side(physics, degree, cells)
    python = interpreter()
    if python is None:
        mine = median(timed(ours) for _ in range(repetitions))
        return Row(label, mine, "s", None, None, "DOLFINx is not installed (Debian: python3-dolfinx)")
    with Peer(python, "dolfinx_assembly.py", case=case, cells=cells) as peer:
        theirs = peer.started["norm"]
        if abs(theirs - norm) > 1e-9 * norm:
            raise RuntimeError(f"{item}: matrix norms differ: {norm} here, {theirs} in DOLFINx")
        pairs = [(timed(ours), peer.ask()["seconds"]) for _ in range(repetitions)]
    mine, other = (median(column) for column in zip(*pairs, strict=True))
    text = f"DOLFINx {peer.started['version']} {other:.4f} s, Plexus {mine:.4f} s"
    return Row(label, other / mine, "x", BOUND, other / mine >= BOUND, text)


def plexus_side(physics: dict[str, Any], degree: int, cells: int) -> tuple[Callable[[], Any], float]:
    """Return the function that assembles again, and the norm of its matrix."""
    from mpi4py import MPI

    from plexus.spaces.assembly import Form
    from plexus.spaces.lagrange import Space

    mesh = _component("mesh", type="box", cell="tetrahedron", cells=[cells] * 3).build(MPI.COMM_SELF)
    equation = _component("physics", **physics).equations[0]
    space = Space(mesh, degree, equation.field.components(3))
    fixed = np.zeros((space.n_local, space.components), dtype=bool)
    fixed[space.facet_nodes("left")] = True
    form, u = Form(space, equation, fixed=fixed), space.zeros()

    def assemble() -> Any:
        return form.jacobian(0.0, u, None, 0.0, {})

    return assemble, assemble().norm()


def _component(kind: str, type: str, **values: Any) -> Any:
    """Build a component from plain values, as the deck does."""
    from plexus.registry import component

    member = component(kind, type)
    return member.cls(member.params(**values))


def timed(work: Callable[[], Any]) -> float:
    """Return the seconds that one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Peer:
    """A peer's script in its own process, answering one line per request.

    Parameters
    ----------
    python, name : str
        Interpreter, and file in `plexus.bench.peers`.
    request
        What it is asked first.

    Attributes
    ----------
    started : dict
        Its answer to that.
    """

    def __init__(self, python: str, name: str, **request: Any):
        self._name, script = name, str(files("plexus.bench") / "peers" / name)
        self._process = subprocess.Popen(
            [python, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env=peer_environment(),
        )  # fmt: skip
        self.started = self.ask(**request)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Return the answer to a request; an empty one works once more and tells the ``seconds``."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line.startswith("{"):
            raise RuntimeError(f"{self._name} ended or answered {line!r}")
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Peer:
        """Return the running peer."""
        return self

    def __exit__(self, *exc: object) -> None:
        """End the process."""
        self._process.communicate()


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process, and those it starts, on one of its cores."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def peer_environment() -> dict[str, str]:
    """Return the environment without the launcher's variables of this process; one thread."""
    launcher = ("OMPI_COMM", "OMPI_MCA_orte", "PMIX", "PMI_", "VIRTUAL_ENV")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(launcher)}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@cache
def interpreter(module: str = "dolfinx.fem.petsc") -> str | None:
    """Return the first Python that can import a peer's module, or None."""
    named = [os.environ.get("DOLFINX_PYTHON"), sys.executable, "/usr/bin/python3", shutil.which("python3")]
    for python in dict.fromkeys(p for p in named if p):
        command = [python, "-c", f"import {module}"]
        try:
            found = subprocess.run(command, capture_output=True, env=peer_environment(), check=False)
        except OSError:
            continue
        if found.returncode == 0:
            return python
    return None
