"""Renders one surface with PyVista, as a program with arguments SCENE IMAGE ELEVATION AZIMUTH."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def render(scene: str, image: str, elevation: float, azimuth: float) -> None:
    """Write the picture of a coloured surface.

    Parameters
    ----------
    scene
        NPZ file with points (P, 3), triangles (T, 3), values (P,) or (T,), their location, levels, map.
    image
        PNG file to write.
    elevation, azimuth
        Direction of the eye, in degrees.
    """
    import pyvista
    from vtkmodules.vtkCommonCore import vtkLogger

    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    data = np.load(scene)
    points, triangles, values, levels = (data[n] for n in ("points", "triangles", "values", "levels"))
    mesh = pyvista.PolyData(points, np.column_stack([np.full(len(triangles), 3), triangles]).ravel())
    (mesh.point_data if str(data["location"]) == "point" else mesh.cell_data)["values"] = values
    plotter: Any = pyvista.Plotter(off_screen=True, window_size=[1800, 1400])
    plotter.set_background("white")
    plotter.add_mesh(
        mesh, scalars="values", cmap=str(data["map"]), clim=(levels[0], levels[-1]), n_colors=len(levels) - 1,
        show_scalar_bar=False, ambient=0.7, diffuse=0.38, specular=0.0, interpolate_before_map=True,
    )  # fmt: skip
    # facets have points of their own, so coincident ones are merged before edges are looked for
    edges = mesh.clean(tolerance=1e-9).extract_feature_edges(feature_angle=35, boundary_edges=True)
    if edges.n_points:
        plotter.add_mesh(edges, color="#2b2b2b", line_width=2.5)
    e, a = np.radians([elevation, azimuth])
    eye = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    plotter.camera_position = [tuple(points.mean(axis=0) + eye), tuple(points.mean(axis=0)), (0, 0, 1)]
    # parallel projection: equal lengths look equal
    plotter.enable_parallel_projection()
    plotter.reset_camera()
    plotter.add_axes(line_width=4, color="#333333")
    plotter.enable_anti_aliasing("ssaa")
    plotter.screenshot(image)


if __name__ == "__main__":
    render(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
