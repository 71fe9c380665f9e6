"""The displacement as a deformation of the mesh, exaggerated."""

from __future__ import annotations

import numpy as np

from plexus_post.pictures.style import nice
from plexus_post.readers.grid import Grid
from plexus_post.readers.run import Run
from plexus_post.units import short

DISPLACEMENT = "displacement"
"""Name of the vector field that deforms the mesh."""


def deformed(run: Run, grid: Grid, step: int, warp: float | None) -> tuple[np.ndarray | None, str]:
    """Return the exaggerated displacement (P, 3) and a note on the factor.

    ``warp`` None chooses a round factor that moves the farthest point by up to 8 % of the mesh's size, and
    none for a mesh of lines, whose shape shows nothing.
    """
    if warp is None and grid.dim == 1:
        return None, ""
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
