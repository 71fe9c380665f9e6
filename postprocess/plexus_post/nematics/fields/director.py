"""The director of a nematic: rods in the picture of the order.

Its sign means nothing, so vectors stand at twice its angle, which can be interpolated.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plexus_post.nematics.names import DIRECTOR, ORDER
from plexus_post.pictures.scenes import Scene
from plexus_post.pictures.view import View


def fields(scene: Scene) -> tuple[str, ...]:
    """Return order and director; all directors have one length, so the picture is that of the order."""
    return (ORDER, DIRECTOR) if _twice(scene) is not None else ()


def view(scene: Scene, name: str) -> View | None:
    """Return the order with rods."""
    made = scene.view(name, scene.run.field(ORDER, scene.step))
    # light where there is order, so that dark rods are seen
    return made and replace(made, arrows=_twice(scene), fold=2, map="Blues_r")


def _twice(scene: Scene) -> np.ndarray | None:
    """Return vectors (P, 3) at twice the director's angle; None on a line, or without a plane director."""
    if scene.grid.dim == 1 or any(scene.run.fields.get(name) != "point" for name in (DIRECTOR, ORDER)):
        return None
    n = scene.run.field(DIRECTOR, scene.step)
    if n.ndim != 2 or np.abs(n[:, 2:]).any():
        return None
    twice = 2 * np.arctan2(n[:, 1], n[:, 0])
    return np.stack([np.cos(twice), np.sin(twice), 0 * twice], axis=1)
