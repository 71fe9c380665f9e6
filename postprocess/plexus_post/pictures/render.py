"""Renders one surface with PyVista, as a program with arguments SCENE IMAGE ELEVATION AZIMUTH."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

REST = {"color": "#777777", "line_width": 4.0}
"""How the outline of the body before it was deformed is drawn."""
WINDOW, ROOM = [2100, 1640], 0.85
"""Size of the picture in pixels; share of it that the body takes: labels of its axes stand around it."""


def render(scene: str, image: str, elevation: float, azimuth: float) -> None:
    """Write the picture of a coloured surface.

    Parameters
    ----------
    scene
        NPZ file with points (P, 3), triangles (T, 3), values (P,) or (T,), their location, levels, map, edges
        (E, 2, 3), those of the body before it was deformed, and the unit of lengths.
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
    plotter: Any = pyvista.Plotter(off_screen=True, window_size=WINDOW)
    plotter.set_background("white")
    plotter.add_mesh(
        mesh, scalars="values", cmap=str(data["map"]), clim=(levels[0], levels[-1]), n_colors=len(levels) - 1,
        show_scalar_bar=False, ambient=0.7, diffuse=0.38, specular=0.0, interpolate_before_map=True,
    )  # fmt: skip
    for name, how in (("edges", {"color": "#2b2b2b", "line_width": 2.5}), ("rest", REST)):
        if len(data[name]):
            plotter.add_mesh(pyvista.line_segments_from_points(data[name].reshape(-1, 3)), **how)
    unit = f" [{data['length']}]" if str(data["length"]) else ""
    # the scale is that of the body before it was deformed: its own sizes, not exaggerated ones
    body = data["rest"].reshape(-1, 3) if len(data["rest"]) else points
    plotter.show_bounds(
        bounds=np.column_stack([body.min(axis=0), body.max(axis=0)]).ravel(), location="outer",
        ticks="outside", n_xlabels=3, n_ylabels=3, n_zlabels=3, use_3d_text=False, font_size=24,
        xtitle=f"x{unit}", ytitle=f"y{unit}", ztitle=f"z{unit}", color="#444444", fmt="%.4g",
    )  # fmt: skip
    e, a = np.radians([elevation, azimuth])
    eye = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    plotter.camera_position = [tuple(points.mean(axis=0) + eye), tuple(points.mean(axis=0)), (0, 0, 1)]
    # parallel projection: equal lengths look equal
    plotter.enable_parallel_projection()
    plotter.reset_camera()
    plotter.camera.zoom(ROOM)
    plotter.add_axes(line_width=4, color="#333333")
    plotter.enable_anti_aliasing("ssaa")
    plotter.screenshot(image)


if __name__ == "__main__":
    render(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
