"""Reduced models: cost per step at 1e4, 1e5 and 1e6 unknowns, full against online, compiled against arrays.

A cube under cyclic traction and heat, hexahedra of degree 1, cyclic viscoplasticity. The two smaller meshes
have reduced models of their own, made of one cycle. On the largest one the modes of the smallest are
interpolated, and the cubature takes the nearest points: an online step of that size without its training. The
full model takes GMRES with smoothed aggregation to 1e-6 and starts from a line through two states; on the
largest mesh it marches one step where `plexus bench rom:million` asks for it (6 GiB). Times are CPU seconds
of one process; online ones include clock, guards and histories, and are medians of groups of steps.
"""

from __future__ import annotations

import gc
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from mpi4py import MPI

from plexus.bench.table import Row
from plexus.compose import compose
from plexus.coupling import reducedstep
from plexus.deck.schema import Deck
from plexus.laws import _mises
from plexus.offline.main import reduce
from plexus.reduction.loads import Loads
from plexus.reduction.model import Kept, Model, save
from plexus.reduction.origin import supports
from plexus.reduction.responses import Elastic, spans
from plexus.runtime import context

if TYPE_CHECKING:
    from plexus.run import Run

SIZES = {"1e4": 14, "1e5": 31, "1e6": 68}
"""Unknowns -> cells along an edge."""
STEP, CYCLE, GROUPS = 0.25, 8, 5
FLAT, FASTER = 1.2, 10.0
"""Bounds: dearest online step over the cheapest one; NumPy loop over the compiled step."""
LAW = {
    "type": "chaboche", "young_modulus": "200 GPa", "poisson_ratio": 0.3,
    "expansion": {"coefficient": 2e-5, "taken": "points"}, "yield_stress": "10 MPa",
    "back_stresses": [{"modulus": "100 GPa", "recall": 1000}],
    "viscosity": {"drag": "300 MPa", "exponent": 30},
}  # fmt: skip


@dataclass
class Size:
    """What one mesh takes, in CPU seconds and GiB."""

    cells: int
    full: list[float] = field(default_factory=list)
    offline: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    start: float = 0.0
    online: float = 0.0
    arrays: float = 0.0
    replay: float = 0.0
    memory: float = 0.0

    @property
    def unknowns(self) -> int:
        """Unknowns of the full model."""
        return 3 * (self.cells + 1) ** 3


def run(*items: str) -> list[Row]:
    """Return the rows; ``million`` marches the largest full model, too."""
    with tempfile.TemporaryDirectory() as name:
        folder, sizes = Path(name), {label: Size(cells) for label, cells in SIZES.items()}
        small, middle, large = sizes.values()
        for size in (small, middle):
            _offline(size, folder)
            _online(size, folder)
        _carried(small, large, folder)
        gc.collect()
        _online(large, folder)
        if "million" in items:
            large.full = _marched(_deck(large, STEP), folder)[1]
    found = [row for label, size in sizes.items() for row in _rows(label, size)]
    from plexus.bench.rom_plot import plot

    plot(sizes, Path("runs/bench/rom.png"))
    return [*found, *_compared(list(sizes.values()))]


def plain(cells: int, end: float, **blocks: Any) -> dict[str, Any]:
    """Return the deck of a cube with so many cells along an edge, that ends at a time [s]."""
    return {
        "plexus": 1,
        "tables": {"pull": {"times": [0, 1, 2], "values": ["0 MPa", "250 MPa", "0 MPa"], "period": 2}},
        "mesh": {"type": "box", "cell": "hexahedron", "cells": [cells] * 3, "size": [1, 1, 1]},
        "physics": {"type": "elastoviscoplastic", "degree": 1, "law": LAW,
                    "temperature": "293.15 + 40*min(t, 1)*exp(-2*x - y)"},
        "boundary": [{"on": "left", "displacement": [0, 0, 0]},
                     {"on": "right", "traction": ["pull(t)*(1 - y*z)", 0, "0.1*pull(t)"]}],
        "time": {"stepper": {"type": "quasistatic", "guess": "linear"}, "step": STEP, "end": end},
        "solver": {"displacement": {"ksp": "gmres", "rtol": 1e-4, "preconditioner": "gamg",
                                    "snes_rtol": 1e-6}},
        **blocks,
    }  # fmt: skip


def _deck(size: Size, end: float, folder: Path = Path(), **blocks: Any) -> Deck:
    """Return the deck of a cube."""
    data = plain(size.cells, end, **blocks)
    return Deck.from_plain({"data": data, "path": str(folder / "deck.yaml"), "origins": {}, "overrides": []})


def _marched(deck: Deck, folder: Path) -> tuple[Any, list[float]]:
    """Return a finished run without files, and the seconds of its steps."""
    run = compose(deck, context.create(MPI.COMM_SELF, folder))
    run.observers, seconds, last = [], [], time.process_time()
    for _ in run.march():
        now = time.process_time()
        seconds.append(now - last)
        last = now
    return run, seconds


class _Clock:
    """Watches phases of a run in CPU seconds, those of phases inside included."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self._open: list[float] = []

    def enter(self, name: str) -> None:
        """Note the beginning."""
        self._open.append(time.process_time())

    def leave(self, name: str) -> None:
        """Note the end."""
        self.seconds.setdefault(name, []).append(time.process_time() - self._open.pop())


def _file(size: Size, folder: Path) -> Path:
    return folder / f"rom-{size.cells}.h5"


def _offline(size: Size, folder: Path) -> None:
    """March one cycle with the full model and reduce it."""
    deck = _deck(size, CYCLE * STEP, folder, reduce={"file": _file(size, folder).name})
    ctx, clock = context.create(MPI.COMM_SELF, folder), _Clock()
    ctx.timers.watchers.append(clock)
    begin = time.process_time()
    _, size.facts = reduce(deck, ctx)
    reduction = clock.seconds["reduction"][0]
    total = time.process_time() - begin
    size.offline = {"data": total - reduction, "basis and cubature": reduction}
    size.full = clock.seconds["solve"]


def _online(size: Size, folder: Path) -> None:
    """March ten cycles with the reduced model, compiled and on arrays, and replay one of them."""
    rom = {"type": "galerkin", "file": str(_file(size, folder)), "imbalance": 1e9}
    deck = _deck(size, 10 * CYCLE * STEP, folder, rom=rom)
    begin = time.process_time()
    run = compose(deck, context.create(MPI.COMM_SELF, folder / f"online-{size.cells}"))
    size.start = time.process_time() - begin
    size.online = _median(run)
    size.replay = _replayed(run.system)
    # one body at a time in memory
    del run
    gc.collect()
    with _without_compiler():
        size.arrays = _median(compose(deck, context.create(MPI.COMM_SELF, folder / f"arrays-{size.cells}")))
    gc.collect()
    size.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@contextmanager
def _without_compiler() -> Iterator[None]:
    """Let steps and law be those on arrays."""
    kept = [(module, module._compiled) for module in (_mises, reducedstep)]
    try:
        for module, _ in kept:
            vars(module)["_compiled"] = lambda: None
        yield
    finally:
        for module, compiled in kept:
            vars(module)["_compiled"] = compiled


def _median(run: Run) -> float:
    """Return the CPU seconds of a step, the median of groups of them."""
    run.ctx.folder.mkdir(exist_ok=True)
    for observer in run.observers:
        observer.start(run)
    marks = [time.process_time()]
    for state in run.march():
        if state.step % (10 * CYCLE // GROUPS) == 0:
            marks.append(time.process_time())
    return float(np.median(np.diff(marks))) * GROUPS / (10 * CYCLE)


def _replayed(system: Any) -> float:
    """Return the CPU seconds that the memory of the whole body takes per step."""
    replay, begin = system.whole.replay, time.process_time()
    replay.at(sorted(replay.steps)[CYCLE - 1])
    return (time.process_time() - begin) / CYCLE


def _carried(small: Size, large: Size, folder: Path) -> None:
    """Write the model of a small mesh for a large one: modes interpolated, the nearest points."""
    from plexus.reduction.model import load

    one, two = (compose(_deck(s, STEP), context.create(MPI.COMM_SELF, folder)).system for s in (small, large))
    forms: list[Any] = [s.forms["displacement"] for s in (one, two)]  # type: ignore[attr-defined]
    points = [s.quadrature for s in (one, two)]  # type: ignore[attr-defined]
    model = load(_file(small, folder), forms[0], points[0])
    basis = _interpolated(forms[0].space.points, model.basis, forms[1].space.points, small.cells)
    # points of one cell of the large mesh do: which it is and where in it hardly matters for the cost
    x = model.points.points
    cell = np.minimum((x * large.cells).astype(int), large.cells - 1)
    names = [_nearest(points[1], c, large.cells, y) for c, y in zip(cell, x, strict=True)]
    told = {
        **model.facts, "points": points[1].n_global, "names": names, "widths": {},
        "supports": supports(forms[1].space, two.prescribed["displacement"]),  # type: ignore[attr-defined]
    }  # fmt: skip
    large.facts = told
    save(
        _file(large, folder),
        forms[1].space,
        points[1],
        Model(basis, model.points, model.strains, told, _seen(two)),
    )


def _seen(system: Any) -> Kept:
    """Return what a model keeps that knows the loads of a system and no states."""
    form, points, times = system.forms["displacement"], system.quadrature, [0.5 * STEP, STEP]
    elastic = Elastic(system, 0.0)
    loads = Loads(form, form.equation.load, elastic.given, times, form.space.zeros()[:, :, None])
    none = form.space.zeros()[:, :, None][:, :, :0]
    return Kept(np.zeros((points.n_owned, 9, 0)), {}, *spans(loads, elastic, times), none)


def _nearest(points: Any, cell: np.ndarray, cells: int, x: np.ndarray) -> int:
    """Return the name of the quadrature point next to a place in a cell of the box."""
    rows = points.points.reshape(cells, cells, cells, points.per_cell, 3)
    i, j, k = cell
    # cells are numbered with one axis first; that which holds the place is found by its points
    for at in ((i, j, k), (k, j, i)):
        away = np.linalg.norm(rows[at] - x, axis=1)
        if away.min() <= 1.0 / cells:
            first = np.ravel_multi_index(at, (cells,) * 3) * points.per_cell
            return int(points.names()[first + int(np.argmin(away))])
    raise AssertionError("the box numbers its cells along its axes")


def _interpolated(x: np.ndarray, values: np.ndarray, at: np.ndarray, cells: int) -> np.ndarray:
    """Return nodal values of a box interpolated at other places in it, linear along each axis."""
    order = np.lexsort(x.T[::-1])
    grid = values[order].reshape(cells + 1, cells + 1, cells + 1, *values.shape[1:])
    low = np.minimum((at * cells + 1e-9).astype(int), cells - 1)
    share, found = at * cells - low, np.zeros((len(at), *values.shape[1:]))
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, share, 1 - share), axis=1)
        found += weight[:, None, None] * grid[tuple((low + corner).T)]
    return found


def _rows(label: str, size: Size) -> Iterator[Row]:
    """Yield what one mesh takes."""
    told = f"{size.unknowns:,} unknowns, {size.facts['modes']} modes, {len(size.facts['names'])} points"
    full = float(np.median(size.full)) if size.full else None
    missing = "not marched; plexus bench rom:million does" if full is None else "GMRES, smoothed aggregation"
    yield Row(f"{label}: full, per step", full, "s", peer=missing)
    for name, seconds in size.offline.items():
        yield Row(f"{label}: offline, {name}", seconds, "s")
    yield Row(f"{label}: start of a reduced run", size.start, "s")
    yield Row(f"{label}: online, per step", 1e3 * size.online, "ms", peer=told)
    yield Row(f"{label}: online on arrays, per step", 1e3 * size.arrays, "ms", peer="NumPy, law and loop")
    yield Row(f"{label}: replay of the memory, per step", 1e3 * size.replay, "ms", peer="as far as asked for")
    if full is not None:
        yield Row(f"{label}: full over online", full / size.online, "x")
    yield Row(f"{label}: largest memory so far", size.memory, "GiB")


def _compared(sizes: list[Size]) -> Iterator[Row]:
    """Yield what is judged."""
    online = [size.online for size in sizes]
    flat, faster = max(online) / min(online), min(size.arrays / size.online for size in sizes)
    yield Row("online: dearest over cheapest mesh", flat, "x", FLAT, flat <= FLAT)
    yield Row("online: arrays over compiled, smallest", faster, "x", FASTER, faster >= FASTER)
