"""Cycles to failure on a logarithmic scale of colours: lives differ by decades within a body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from plexus_post.pictures.peaks import differing
from plexus_post.pictures.scenes import Scene
from plexus_post.pictures.view import View
from plexus_post.readers.run import Run

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
    peak = shortest(scene.run, scene.step, 10 ** float(known.min())) if known.size else ""
    note = f"lives above {10**top:.3g} look alike" if (log > top).any() else ""
    return made and replace(made, log=True, note=note, peak=peak, arrows=None)


def shortest(run: Run, step: int, shown: float) -> str:
    """Return a sentence on shortest lives of the deck that the picture does not show, else empty."""

    def of(block: object) -> bool:
        lives = isinstance(block, dict) and block.get("type") == "shortest_life"
        return lives and block.get("tell", LIFE) == LIFE  # type: ignore[attr-defined]

    told = differing(run, step, of, lambda block: shown, 1.0, "cycles")
    return f"{told}: taken at points, the picture shows means of cells" if told else ""
