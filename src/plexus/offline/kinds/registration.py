"""A moving grid on which a field of the run has low rank, which ``rom: {type: registration}`` shows.

The field, an unknown or anything derived, is sampled at the middles of equal cells of a box; the first axis
is that along which the grid moves, lines beside each other move alike. Models on elements and on cells can be
registered; shown in the place of a run are those of one unknown on the cells of a line. Source: R. Mojgani,
M. Balajewicz, arXiv:2006.15655 (2020).
"""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import model_validator

from plexus.deck.modelfile import ModelFile
from plexus.deck.params import Field, FieldName, Params, Unit
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.offline.kinds._snapshots import Sampled
from plexus.offline.whole import require_end
from plexus.registry import register

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.reduction.registered import Registered
    from plexus.run import Run
    from plexus.runtime.context import Context

Array = np.ndarray
SHOWN = 40
"""Modes of the fixed grid whose errors are told."""


class Box(Params):
    """A lattice of the middles of equal cells."""

    start: tuple[Annotated[float, Unit("m")], ...] = Field(description="lower corner")
    end: tuple[Annotated[float, Unit("m")], ...] = Field(description="upper corner")
    points: tuple[Annotated[int, Field(ge=1)], ...] = Field(description="number of points along each axis")

    @model_validator(mode="after")
    def _fits(self) -> Box:
        if not len(self.start) == len(self.end) == len(self.points):
            raise refuse("start, end and points differ in their numbers of coordinates")
        if any(b <= a for a, b in zip(self.start, self.end, strict=True)) or self.points[0] < 8:
            raise refuse("the end lies behind the start, and the first axis has 8 points at least")
        return self


class RegistrationParams(Params):
    """Parameters of `Registration`."""

    field: FieldName | None = Field(None, description="scalar field that is registered; absent: the unknown")
    box: Box | None = Field(None, description="where the field is sampled; absent: the cells of a line")
    snapshots: int = Field(125, ge=8, description="intervals of equal length between snapshots")
    modes: int = Field(4, ge=1, description="modes of the field on the moving grid")
    position_modes: int = Field(1, ge=1, description="modes of the grid's motion")
    controls: tuple[int, int] = Field((15, 5), description="control points of the motion along line and time")
    spacing: float = Field(
        0.1, gt=0, lt=1, description="least distance of neighbours, relative to that at rest"
    )
    starts: int = Field(1, ge=1, description="random starts, of which the best is kept")
    seed: int = Field(0, ge=0, description="seed of the first start")
    background: float | None = Field(
        None, description="value that is left out of the field; absent: that of the first point at the start"
    )
    file: ModelFile = Field("rom.h5", description="name of the result in the run folder")

    @model_validator(mode="after")
    def _enough(self) -> RegistrationParams:
        if min(self.controls) < 3:
            raise refuse("controls: three control points at least along line and time")
        if self.modes >= self.snapshots:
            raise refuse(f"modes: {self.snapshots} snapshots do not hold more than {self.snapshots} modes")
        return self


@register("reduction", "registration", RegistrationParams)
class Registration:
    """Registration with as many random starts as the deck asks for."""

    def __init__(self, params: RegistrationParams):
        self.params = params

    @staticmethod
    def problems(deck: Any) -> Any:
        """Yield what a deck has that cannot be registered."""
        return _problems(deck)

    def make(self, deck: Deck, ctx: Context) -> tuple[Run, dict[str, Any], str]:
        """March, register and write; return the run, facts and a line about them. Collective."""
        from plexus.compose import compose

        run = compose(deck.model_copy(update={"rom": None}), ctx)
        box = self.params.box or _of_cells(run)
        name = self.params.field or next(iter(run.state.values))
        taken = Sampled(name, run, self.params.snapshots, _lattice(box))
        run.observers.append(taken)
        run.execute()
        require_end(run)
        with ctx.timers("reduction"):
            facts = self._registered(taken, box, ctx, deck)
        told = (
            f"{name} on a moving grid: error {facts['error']:.2g} of {facts['modes']} modes, on a fixed one "
            f"{facts['fixed']:.2g}; neighbours at {facts['least_spacing']:.2g} of their distance at least"
        )
        return run, facts, told

    def _registered(self, taken: Sampled, box: Box, ctx: Context, deck: Deck) -> dict[str, Any]:
        """Register, keep the best start, write, and return the facts. Collective."""
        from plexus.reduction import registration as r
        from plexus.reduction.registered import problem_of

        given, n = self.params, box.points[0]
        data = np.stack([u.reshape(n, -1) for u in taken.rows], axis=-1)
        times = np.array(taken.times)
        background = given.background if given.background is not None else float(data[0, 0, 0])
        if not np.abs(data - background).max() > 0:
            raise InputError(f"reduce.field: {taken.name} is the same everywhere and always")
        settings = r.Settings(given.position_modes, given.modes, given.controls, given.spacing)
        begin = time.process_time()
        # the ranks share the starts, and all of them hear of the best
        found = _best(ctx.comm, data, times, settings, (given.seed, given.starts), background)
        model, errors = found
        fixed = r.fixed_errors(data - background, SHOWN)
        moving = r.fixed_errors(model.on_grid(data), SHOWN)
        facts = {
            "field": taken.name, "points": list(box.points), "modes": given.modes,
            "position_modes": given.position_modes, "snapshots": len(times),
            "trained": [float(times[0]), float(times[-1])], "error": min(errors.values()), "errors": errors,
            "fixed": fixed[min(given.modes, SHOWN) - 1], "fixed_errors": fixed, "moving_errors": moving,
            "cpu": time.process_time() - begin,
            "least_spacing": float(model.motion.spacing(np.linspace(0, 1, 512)).min()),
            "problem": problem_of(deck),
        }  # fmt: skip
        model.save(ctx.folder / given.file, ctx.comm, facts)
        return facts


def _best(
    comm: Any, data: Array, times: Array, settings: Any, seeds: tuple[int, int], background: float
) -> tuple[Registered, dict[str, float]]:
    """Return the best model of all starts, and the error of each. Collective."""
    from plexus.reduction import registration as r
    from plexus.reduction.registered import Registered

    mine: dict[int, tuple[float, Registered]] = {}
    for seed in range(seeds[0] + comm.rank, sum(seeds), comm.size):
        model = Registered.of(data, times, settings, seed, background)
        off = r.error(model.decode(model.code, times, data.shape[1]) - background, data - background)
        mine[seed] = off, model
    errors = {
        seed: off
        for part in comm.allgather({s: e for s, (e, _) in mine.items()})
        for seed, off in part.items()
    }
    best = min(errors, key=lambda seed: (errors[seed], seed))
    model = comm.bcast(mine[best][1] if best in mine else None, (best - seeds[0]) % comm.size)
    return model, {str(seed): errors[seed] for seed in sorted(errors)}


def _of_cells(run: Run) -> Box:
    """Return the cells of a line as a box."""
    mesh: Any = run.mesh
    return Box(start=mesh.corner, end=tuple(a + b for a, b in zip(mesh.corner, mesh.size, strict=True)),
               points=mesh.cells)  # fmt: skip


def _lattice(box: Box) -> Array:
    """Return the points of a box, (k, d), the last axis fastest."""
    axes = [
        a + (np.arange(n) + 0.5) / n * (b - a) for a, b, n in zip(box.start, box.end, box.points, strict=True)
    ]
    return np.array(list(itertools.product(*axes)))


def _problems(deck: Any) -> Any:
    """Yield what a deck has that cannot be registered."""
    from plexus import registry

    given = deck.reduce
    if deck.time is None:
        yield ("reduce",), "a registration follows a field in time, and the deck is steady"
    if deck.ensemble is not None:
        yield ("ensemble",), "a registration is that of one run"
    if deck.mesh is None:
        yield ("reduce",), "a registration follows a field in space, and the model has none"
        return
    dim = registry.build("mesh", deck.mesh).estimate().dim
    if given.box is None and (dim > 1 or not _on_cells(deck)):
        yield ("reduce", "type"), "box is missing: the field is sampled on a box of equal cells"
    if given.box is not None and len(given.box.points) != dim:
        yield ("reduce", "box"), f"the mesh has {dim} axes, the box {len(given.box.points)}"


def _on_cells(deck: Any) -> bool:
    """Return whether a deck's model lives on the cells of a grid."""
    from plexus import registry

    cls = registry.component("physics", deck.physics.type).cls
    return getattr(cls, "discretisation", "") == "volumes"


EXAMPLE: dict[str, Any] = {"type": "registration", "modes": 4}
