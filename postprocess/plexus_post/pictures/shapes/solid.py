"""Pictures of fields on solid meshes: the coloured surface, seen obliquely.

PyVista renders off-screen where it works; it runs in a process of its own, because a missing or
broken graphics driver ends the process that asks for it. Matplotlib draws the surface otherwise.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.pictures import render
from plexus_post.pictures.colours import Colours, colour_bar, headline
from plexus_post.pictures.style import LINE, pyplot, save
from plexus_post.pictures.view import Shape, View
from plexus_post.readers.cells import facet_kind, lattice, outer_facets
from plexus_post.readers.grid import Grid
from plexus_post.units import label

FINE = 100_000
"""Up to this many cells Matplotlib draws divided facets, because it gives a triangle one colour only."""
REST = "#777777"
"""Colour of the outline of the body before it was deformed."""
BEND, NEAR = 35.0, 1e-7
"""Degrees between facets that meet at an edge; distance of points that are one, relative to the size."""
VIEW = (22.0, -52.0)
"""Elevation and azimuth of the eye, in degrees."""


def draw(views: Sequence[View], path: Path) -> Path:
    """Write the picture of a view and return its path."""
    (view,) = views
    figure = pyplot().figure(figsize=size(view))
    place(figure, view)
    return save(figure, path)


def size(view: View) -> tuple[float, float]:
    """Return width and height of a figure in inches, whatever the view."""
    return 8.2, 6.2


def place(figure: Any, view: View) -> None:
    """Draw a view with its colour bar into a figure."""
    from matplotlib.cm import ScalarMappable

    colours = Colours.of(view.coloured, view.unit)
    mappable = ScalarMappable(colours.norm, colours.map)
    image = _rendered(view, _surface(view, 2), colours)
    if image is not None:
        axes = figure.add_subplot()
        axes.imshow(_trim(image), interpolation="lanczos")
        axes.set_axis_off()
    else:
        axes = figure.add_subplot(projection="3d", computed_zorder=False)
        _polygons(axes, view, _surface(view, 4 if view.grid.n_cells < FINE else 1), mappable)
    headline(axes, view)
    colour_bar(axes, mappable, view, colours)


@dataclass(frozen=True)
class _Surface:
    """Triangles (T, 3) of the boundary, points (S, 3) after and before deformation, values on either."""

    points: np.ndarray
    rest: np.ndarray
    triangles: np.ndarray
    values: np.ndarray


def _surface(view: View, divide: int) -> _Surface:
    """Divide the edges of boundary facets, so that curved facets and quadratic fields look smooth."""
    points, rest, corners, values, count = [], [], [], [], 0
    for kind, cells, index in view.grid.blocks:
        facets, owner = outer_facets(kind, cells)
        face = facet_kind(kind)
        reference, parts = lattice(face, divide)
        weights = face.shape(reference)[0]
        points.append(np.einsum("ln,fnc->flc", weights, view.moved[facets]).reshape(-1, 3))
        rest.append(np.einsum("ln,fnc->flc", weights, view.points[facets]).reshape(-1, 3))
        # facets keep points of their own: colours may jump between cell values
        start = count + np.arange(len(facets)) * len(reference)
        corners.append((start[:, None, None] + parts).reshape(-1, 3))
        if view.location == "point":
            values.append(np.einsum("ln,fn->fl", weights, view.values[facets]).ravel())
        else:
            values.append(np.repeat(view.values[index[owner]], len(parts)))
        count += len(points[-1])
    return _Surface(*map(np.concatenate, (points, rest, corners, values)))


def outline(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return the edges (E, 2, 3) at which a surface bends, of triangles (T, 3) whose points may coincide."""
    size = float(np.ptp(points, axis=0).max(initial=0.0)) or 1.0
    _, first, same = np.unique(
        np.rint(points / (NEAR * size)), axis=0, return_index=True, return_inverse=True
    )
    corners = same.reshape(-1)[triangles]
    place = points[first]
    normal = np.cross(
        place[corners[:, 1]] - place[corners[:, 0]], place[corners[:, 2]] - place[corners[:, 0]]
    )
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    edges = np.sort(corners[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, which, count = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    owner = np.repeat(np.arange(len(corners)), 3)[np.argsort(which.reshape(-1), kind="stable")]
    start = np.cumsum(count) - count
    # of two triangles at an edge, whichever way round their corners go
    cosine = np.abs(np.einsum("ei,ei->e", normal[owner[start]], normal[owner[start + count - 1]]))
    return place[edges[(count == 1) | (cosine < np.cos(np.radians(BEND)))]]


def bends(grid: Grid) -> np.ndarray:
    """Return the edges (E, 2, 3) at which the surface of a mesh bends, straight ones between corners."""
    points, triangles, count = [], [], 0
    for kind, cells, _ in grid.blocks:
        facets, _ = outer_facets(kind, cells)
        face = facet_kind(kind)
        reference, parts = lattice(face, 1)
        points.append(np.einsum("ln,fnc->flc", face.shape(reference)[0], grid.points[facets]).reshape(-1, 3))
        start = count + np.arange(len(facets)) * len(reference)
        triangles.append((start[:, None, None] + parts).reshape(-1, 3))
        count += len(points[-1])
    return outline(np.concatenate(points), np.concatenate(triangles))


def _rendered(view: View, surface: _Surface, colours: Colours) -> np.ndarray | None:
    """Return the picture that PyVista made in its own process, or None where it does not work."""
    with tempfile.TemporaryDirectory() as folder:
        scene, image = Path(folder, "scene.npz"), Path(folder, "image.png")
        np.savez(
            scene, points=surface.points, triangles=surface.triangles, values=surface.values,
            edges=outline(surface.points, surface.triangles), rest=_rest(view, surface),
            location=view.location, levels=colours.levels, map=colours.map, length=view.length,
        )  # fmt: skip
        command = [sys.executable, "-P", "-m", render.__name__, str(scene), str(image), *map(str, VIEW)]
        # a crash of the driver leaves no picture, which is the answer
        try:
            subprocess.run(command, capture_output=True, timeout=120, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        if not image.is_file():
            return None
        from matplotlib.image import imread

        return np.asarray(imread(image))


def _rest(view: View, surface: _Surface) -> np.ndarray:
    """Return the edges (E, 2, 3) of the body before it was deformed; none where it is not."""
    return outline(surface.rest, surface.triangles) if view.shift is not None else np.zeros((0, 2, 3))


def _trim(image: np.ndarray) -> np.ndarray:
    """Cut the white margins off."""
    drawn = (image[..., :3] < 0.99).any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else image


def _polygons(axes: Any, view: View, surface: _Surface, mappable: Any) -> None:
    """Draw the boundary as flat triangles whose brightness follows their slope."""
    from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection

    corners = surface.points[surface.triangles]
    # brightness 0.78 + 0.22 abs(n·l), the light l from above to the left of the eye
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    values = surface.values[surface.triangles].mean(axis=1) if view.location == "point" else surface.values
    colour = mappable.to_rgba(values)
    colour[:, :3] *= (0.78 + 0.22 * np.abs(normal @ np.array([0.35, -0.5, 0.79])))[:, None]
    axes.add_collection3d(Poly3DCollection(corners, facecolors=colour, edgecolors=colour, linewidths=0.2))
    rest = _rest(view, surface)
    if len(rest):
        axes.add_collection3d(Line3DCollection(list(rest), colors=REST, linewidths=0.8))
    both = np.concatenate([surface.points, rest.reshape(-1, 3)])
    low, high = both.min(axis=0), both.max(axis=0)
    for axis, a, b in zip("xyz", low, high, strict=True):
        getattr(axes, f"set_{axis}lim")(a, b)
        getattr(axes, f"set_{axis}label")(label(axis, view.length), color=LINE)
    axes.set_box_aspect(np.maximum(high - low, 1e-3 * (high - low).max()))
    axes.view_init(*VIEW)
    axes.locator_params(nbins=4)


SHAPE = Shape(draw, place, size)
