"""Cycles to failure on a logarithmic scale of colours: lives differ by decades within a body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plexus_post.pictures.scenes import Scene
from plexus_post.pictures.view import View

LIFE, LOG = "life", "log_life"
"""Fields of an output `cycles`: the life, and its decimal logarithm for programs without such scales."""
DECADES = 6.0
"""Decades above the shortest life beyond which lives look alike."""


def fields(scene: Scene) -> tuple[str, ...]:
    """Return the lives of a file of cycles; one picture stands for both."""
    return (LIFE, LOG) if {LIFE, LOG} <= scene.run.fields.keys() else ()


def view(scene: Scene, name: str) -> View | None:
    """Return lives by their logarithm, up to some decades above the shortest one."""
    if name != LIFE:
        return scene.view(name)
    with np.errstate(divide="ignore"):
        log = np.log10(scene.run.field(name, scene.step).astype(float))
    known = log[np.isfinite(log)]
    top = min(float(known.max()), float(known.min()) + DECADES) if known.size else 0.0
    made = scene.view(name, np.minimum(log, top))
    note = f"lives above {10**top:.3g} look alike" if (log > top).any() else ""
    return made and replace(made, log=True, note=note, peak="", arrows=None)
