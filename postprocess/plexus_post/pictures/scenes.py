"""A moment of a run as views: one per scalar field and per magnitude of a vector field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from plexus_post import members
from plexus_post.columns import component_names
from plexus_post.pictures.deformation import deformed
from plexus_post.pictures.peaks import extremes
from plexus_post.pictures.view import View
from plexus_post.readers.grid import Grid
from plexus_post.readers.run import Run
from plexus_post.units import scale, short

VECTOR = 3
"""Most components of a vector; a field with more is a tensor."""
FOLDER = "fields"
"""Name of the folders that hold kinds of pictures."""


@dataclass(frozen=True)
class Scene:
    """A moment of a run: its step; ``warp`` exaggerates a displacement, ``mesh`` draws the edges of cells."""

    run: Run
    step: int
    warp: float | None = None
    mesh: bool = False

    @cached_property
    def grid(self) -> Grid:
        """The mesh."""
        return self.run.mesh(self.step)

    @cached_property
    def length(self) -> tuple[float, str]:
        """Factor and unit of lengths; a deck without units has lengths without units too."""
        return scale("" if self._dimensionless else "m", self.grid.size)

    @cached_property
    def when(self) -> str:
        """The time, empty for a run with one output."""
        if len(self.run.times) < 2:
            return ""
        return f"t = {self.run.times[self.step]:.6g}" + ("" if self._dimensionless else " s")

    @cached_property
    def _dimensionless(self) -> bool:
        # fields may be plain numbers, as plastic strain is, where quantities have units
        told = (self.run.summary.get("units") or {}).values()
        return not any(map(short, [*map(self.run.unit, self.run.fields), *told]))

    def view(self, name: str, values: np.ndarray | None = None, warp: float | None = 0.0) -> View | None:
        """Return how a scalar or a vector field looks; None for tensors.

        Parameters
        ----------
        name
            The field.
        values
            What to draw under this name instead of the field's own values, on the same points or cells.
        warp
            Exaggeration of the displacement where the user asks for none; chosen for the picture when None.
        """
        run, values = self.run, self.run.field(name, self.step) if values is None else values
        if values.ndim == 2 and values.shape[1] > VECTOR:
            return None
        vector = values.ndim == 2 and values.shape[1] > 1
        scalar = np.linalg.norm(values, axis=1) if vector else values.reshape(len(values))
        size, unit = scale(run.unit(name), scalar)
        factor, length = self.length
        shift, note = deformed(run, self.grid, self.step, self.warp if self.warp is not None else warp)
        # whole numbers stay whole, their bands are drawn differently
        shown = values * size if values.dtype.kind == "f" else values
        return View(
            name=name,
            title=run.title,
            about=run.tip(name),
            grid=self.grid,
            values=scalar * size if scalar.dtype.kind == "f" else scalar,
            components=shown.reshape(len(shown), -1),
            location=run.place(name),
            unit=unit,
            size=size,
            factor=factor,
            length=length,
            shift=None if shift is None else shift * factor,
            when=self.when,
            note=note,
            mesh=self.mesh,
            arrows=values if vector else None,
            run_unit=run.unit(name),
            peak=extremes(run, name, self.step, scalar, size, unit),
        )


class Kind(Protocol):
    """What the module of a special picture has."""

    def fields(self, scene: Scene) -> tuple[str, ...]:
        """Return the fields that it draws; the picture of the first one stands for all."""

    def view(self, scene: Scene, name: str) -> View | None:
        """Return the view of one of these fields."""


def views(scene: Scene, names: list[str] | None = None) -> Iterator[View]:
    """Yield the views of fields, all by default; fields that are no scalars or vectors are left out."""
    special: dict[str, Kind] = {}
    hidden: set[str] = set()
    for kind in members.of_rooms(FOLDER):
        own = kind.fields(scene)
        special |= dict.fromkeys(own, kind)
        hidden |= set(own[1:])
    for name in names or [n for n in scene.run.fields if n not in hidden]:
        if name in special:
            made = [special[name].view(scene, name)]
        else:
            # a tensor that was asked for is drawn component by component
            made = [scene.view(part) for part in (_parts(scene, name) if names else [name])]
        yield from (view for view in made if view is not None)


def _parts(scene: Scene, name: str) -> list[str]:
    """Return the components of a tensor that are neither zero nor mirror images of others, else the name."""
    values = scene.run.field(name, scene.step)
    count = values.shape[1] if values.ndim == 2 else 1
    if count <= VECTOR:
        return [name]
    ends = component_names(count)
    kept: dict[str, np.ndarray] = {}
    for end, column in zip(ends, values.T, strict=True):
        mirrored = kept.get(f"_{end[:0:-1]}")
        if column.any() and (mirrored is None or not np.array_equal(mirrored, column)):
            kept[end] = column
    return [name + end for end in kept] or [name + ends[0]]
