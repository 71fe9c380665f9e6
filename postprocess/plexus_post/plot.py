"""``plexus-post plot``: the pictures that a report of the run would show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plexus_post.errors import PostError
from plexus_post.grid import Grid
from plexus_post.run import Run
from plexus_post.style import nice
from plexus_post.units import label, scale, short

DISPLACEMENT = "displacement"
"""Name of the vector field that deforms the mesh."""
DIRECTOR, ORDER = "director", "order"
"""A vector field whose sign means nothing, drawn as rods into the picture of the scalar one."""


@dataclass(frozen=True)
class View:
    """One scalar picture, in units for people: what is drawn where.

    Attributes
    ----------
    grid : mesh; values : (P,) or (C,), already scaled; location : ``point`` or ``cell``.
    unit, length : units of the values and of the coordinates; factor : metres to ``length``.
    shift : (P, 3) displacement to draw, already exaggerated and scaled, or None.
    about, note : what the field is; what a reader must know, e.g. the exaggeration.
    mesh : whether to draw all edges; arrows : (P, 3) vectors whose directions are shown, or None.
    rods : whether the arrows stand at twice the angle of rods without heads that are to be drawn.
    """

    name: str
    title: str
    about: str
    grid: Grid
    values: np.ndarray
    location: str
    unit: str
    factor: float
    length: str
    shift: np.ndarray | None = None
    note: str = ""
    mesh: bool = False
    arrows: np.ndarray | None = None
    rods: bool = False

    @property
    def label(self) -> str:
        """Label of the colour bar."""
        return label(self.name, self.unit)

    @property
    def points(self) -> np.ndarray:
        """Coordinates (P, 3) as drawn, without displacement."""
        return self.grid.points * self.factor

    @property
    def moved(self) -> np.ndarray:
        """Coordinates (P, 3) as drawn, displaced."""
        return self.points if self.shift is None else self.points + self.shift


def pictures(
    run: Run,
    folder: Path,
    fields: list[str] | None = None,
    step: int | None = None,
    warp: float | None = None,
    mesh: bool = False,
) -> list[Path]:
    """Write the pictures of a run and return their paths.

    Parameters
    ----------
    run, folder
        What to draw and where to.
    fields
        Which fields; all, and the histories too, when None.
    step
        Which step, the last one by default.
    warp
        Exaggeration of the displacement; chosen for the displacement's own picture when None.
    mesh
        Draw the edges of all cells.

    Raises
    ------
    PostError
        If the run has nothing to draw, or a field or step does not exist.
    """
    from plexus_post.plot_series import histories

    made: list[Path] = []
    if len(run.times):
        from plexus_post import plot_plane, plot_solid

        scenes = list(views(run, run.step(step), fields, warp, mesh))
        for view in scenes:
            draw = plot_solid.draw if view.grid.dim == 3 else plot_plane.draw
            made.append(draw(view, folder / f"{_file_name(view.name)}.png"))
        if len(scenes) > 1 and scenes[0].grid.dim == 2:
            made.append(plot_plane.overview(scenes, folder / "overview.png"))
    elif fields:
        raise PostError(f"{run.folder}: no field data to draw")
    if fields is None:
        made += histories(run, folder)
    if not made:
        raise PostError(f"{run.folder}: neither fields nor histories to draw")
    return made


def views(run: Run, step: int, fields: list[str] | None, warp: float | None, mesh: bool) -> Iterator[View]:
    """Yield one view per scalar field and per magnitude of a vector field; tensors are left out."""
    grid = run.mesh(step)
    # a deck without units has lengths without units too
    dimensionless = not any(short(run.unit(n)) for n in run.fields)
    factor, length = scale("" if dimensionless else "m", grid.size)
    when = f"t = {run.times[step]:.6g}" + ("" if dimensionless else " s") if len(run.times) > 1 else ""
    rods = _rods(run, step)
    # a director has one length everywhere: its picture is that of the order
    every = [n for n in run.fields if n != DIRECTOR or rods is None]
    for name in fields or every:
        values = run.field(ORDER if name == DIRECTOR and rods is not None else name, step)
        if values.ndim == 2 and values.shape[1] not in (1, 2, 3):
            continue
        vector = values.ndim == 2 and values.shape[1] > 1
        scalar = np.linalg.norm(values, axis=1) if vector else values.reshape(len(values))
        size, unit = scale(run.unit(name), scalar)
        # by default only the displacement itself is drawn deformed
        chosen = warp if warp is not None else (None if name == DISPLACEMENT else 0.0)
        shift, note = _shift(run, grid, step, chosen)
        yield View(
            name=f"{name} magnitude" if vector else name,
            title=run.title,
            about=run.tip(name),
            grid=grid,
            # whole numbers stay whole, their bands are drawn differently
            values=scalar * size if scalar.dtype.kind == "f" else scalar,
            location=run.fields[name],
            unit=unit,
            factor=factor,
            length=length,
            shift=None if shift is None else shift * factor,
            note=" · ".join(t for t in (when, note) if t),
            mesh=mesh,
            arrows=rods if name in (ORDER, DIRECTOR) else values if vector and name != DISPLACEMENT else None,
            rods=rods is not None and name in (ORDER, DIRECTOR),
        )


def _rods(run: Run, step: int) -> np.ndarray | None:
    """Return vectors (P, 3) at twice the director's angle, which can be interpolated; None without one."""
    if run.fields.get(DIRECTOR) != "point" or run.fields.get(ORDER) != "point":
        return None
    n = run.field(DIRECTOR, step)
    if n.ndim != 2 or np.abs(n[:, 2:]).any():
        return None
    twice = 2 * np.arctan2(n[:, 1], n[:, 0])
    return np.stack([np.cos(twice), np.sin(twice), 0 * twice], axis=1)


def _shift(run: Run, grid: Grid, step: int, warp: float | None) -> tuple[np.ndarray | None, str]:
    """Return the exaggerated displacement (P, 3) and a note on the factor.

    ``warp`` None chooses a round factor that moves the farthest point by up to 8 % of the mesh's size.
    """
    if warp == 0 or run.fields.get(DISPLACEMENT) != "point" or short(run.unit(DISPLACEMENT)) not in ("m", ""):
        return None, ""
    u = run.field(DISPLACEMENT, step)
    peak = float(np.linalg.norm(u, axis=1).max(initial=0.0))
    # nothing moved, or a failed solve: draw the mesh where it was
    if u.ndim != 2 or not np.isfinite(peak) or peak == 0:
        return None, ""
    factor = nice(0.08 * float(grid.size.max()) / peak) if warp is None else warp
    shift = np.pad(u, [(0, 0), (0, 3 - u.shape[1])]) * factor
    return shift, f"deformation × {factor:g}"


def _file_name(name: str) -> str:
    text = name.removesuffix(" magnitude")
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in text)
