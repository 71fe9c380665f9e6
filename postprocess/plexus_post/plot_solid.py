"""Pictures of fields on solid meshes: the coloured surface, seen obliquely.

PyVista renders off-screen where it works; it runs in a process of its own, because a missing or
broken graphics driver ends the process that asks for it. Matplotlib draws the surface otherwise.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.cells import boundary, triangles
from plexus_post.plot_plane import colour_bar, headline
from plexus_post.style import LINE, Colours, pyplot, save
from plexus_post.units import label

if TYPE_CHECKING:
    from plexus_post.plot import View

VIEW = (22.0, -52.0)
"""Elevation and azimuth of the eye, in degrees."""


def draw(view: View, path: Path) -> Path:
    """Write the picture of a view and return its path."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm

    plt = pyplot()
    colours = Colours.of(view.values, view.unit)
    norm = BoundaryNorm(colours.levels, 256, extend=colours.extend)
    surface, cells = _surface(view)
    values = view.values if len(view.values) == len(view.points) else view.values[cells]
    mappable = ScalarMappable(norm, colours.map)
    image = _rendered(view.moved, surface, values, colours)
    figure = plt.figure(figsize=(8.2, 6.2))
    if image is not None:
        axes = figure.add_subplot()
        axes.imshow(_trim(image), interpolation="lanczos")
        axes.set_axis_off()
    else:
        axes = figure.add_subplot(projection="3d", computed_zorder=False)
        _polygons(axes, view, surface, values, mappable)
    headline(axes, view)
    colour_bar(figure, axes, mappable, view, colours, horizontal=False)
    return save(figure, path)


def _surface(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Return the triangles (T, 3) of the boundary and the cell number of each."""
    faces, owners = [], []
    for kind, cells, index in view.grid.blocks:
        outer = triangles(boundary(kind, cells))
        faces.append(outer)
        owners.append(_owners(kind.facets, cells, index, len(outer)))
    return np.concatenate(faces), np.concatenate(owners)


def _owners(facets: np.ndarray, cells: np.ndarray, index: np.ndarray, count: int) -> np.ndarray:
    """Return the cell number of each of ``count`` boundary triangles."""
    flat = cells[:, facets].reshape(-1, facets.shape[1])
    key = np.sort(flat[:, : 3 if len(facets) == 4 else 4], axis=1)
    _, first, times = np.unique(key, axis=0, return_index=True, return_counts=True)
    outer = np.sort(first[times == 1])
    return np.repeat(index[outer // len(facets)], count // max(len(outer), 1))


def _rendered(points: np.ndarray, surface: np.ndarray, values: np.ndarray, colours: Colours) -> np.ndarray | None:
    """Return the picture that PyVista made in its own process, or None where it does not work."""
    with tempfile.TemporaryDirectory() as folder:
        scene, image = Path(folder, "scene.npz"), Path(folder, "image.png")
        np.savez(scene, points=points, surface=surface, values=values, levels=colours.levels, map=colours.map)
        command = [sys.executable, "-m", "plexus_post.render", str(scene), str(image), *map(str, VIEW)]
        try:
            subprocess.run(command, capture_output=True, timeout=120, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
        if not image.is_file():
            return None
        from matplotlib.image import imread

        return np.asarray(imread(image))


def _trim(image: np.ndarray) -> np.ndarray:
    """Cut the white margins off."""
    drawn = (image[..., :3] < 0.99).any(axis=2)
    rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] if len(rows) else image


def _polygons(axes: Any, view: View, surface: np.ndarray, values: np.ndarray, mappable: Any) -> None:
    """Draw the boundary as flat triangles whose brightness follows their slope."""
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    corners = view.moved[surface]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-300)
    colour = mappable.to_rgba(values[surface].mean(axis=1) if len(values) == len(view.points) else values)
    colour[:, :3] *= (0.78 + 0.22 * np.abs(normal @ np.array([0.35, -0.5, 0.79])))[:, None]
    axes.add_collection3d(Poly3DCollection(corners, facecolors=colour, edgecolors=colour, linewidths=0.2))
    low, high = corners.reshape(-1, 3).min(axis=0), corners.reshape(-1, 3).max(axis=0)
    for axis, a, b in zip("xyz", low, high, strict=True):
        getattr(axes, f"set_{axis}lim")(a, b)
        getattr(axes, f"set_{axis}label")(label(axis, view.length), color=LINE)
    axes.set_box_aspect(np.maximum(high - low, 1e-3 * (high - low).max()))
    axes.view_init(*VIEW)
    axes.locator_params(nbins=4)
