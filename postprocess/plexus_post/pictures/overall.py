"""The pictures that a report of a run shows: its fields at one moment, histories, validation, fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from plexus_post.errors import PostError
from plexus_post.pictures.calibration import calibration
from plexus_post.pictures.history import histories
from plexus_post.pictures.panels import spread
from plexus_post.pictures.scenes import Scene, views
from plexus_post.pictures.shapes import of_dimension
from plexus_post.pictures.style import file_name
from plexus_post.pictures.validation import validation
from plexus_post.readers.run import Run


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
    made: list[Path] = []
    scene = Scene(run, run.step(step), warp, mesh) if len(run.times) else None
    # points are drawn for nobody who has not asked for them, and refused who has
    if scene is not None and (scene.grid.dim or fields):
        made += _fields(scene, folder, fields)
    elif fields:
        raise PostError(f"{run.folder}: no field data to draw")
    if fields is None:
        made += [*histories(run, folder), *validation(run, folder), *calibration(run, folder)]
    if not made:
        raise PostError(f"{run.folder}: neither fields nor histories to draw")
    return made


def _fields(scene: Scene, folder: Path, names: list[str] | None) -> list[Path]:
    """Draw the fields of a moment, and all of them in one overview where the shape of the mesh has one."""
    shape = of_dimension(scene.grid.dim)
    before = [replace(scene, step=int(s)) for s in spread(scene.step + 1, shape.moments)[:-1]]
    earlier = [{v.name: v for v in views(s, names)} for s in before]
    every = [[*(e[v.name] for e in earlier if v.name in e), v] for v in views(scene, names)]
    made = [shape.draw(one, folder / f"{file_name(one[-1].name)}.png") for one in every]
    if len(every) > 1 and shape.overview:
        made.append(shape.overview(every, folder / "overview.png"))
    return made
