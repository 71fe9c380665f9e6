"""A field of two runs and their difference beside each other, at a time that they have in common."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from plexus_post.pictures.beside import beside
from plexus_post.pictures.scenes import Scene
from plexus_post.pictures.style import file_name
from plexus_post.readers.pairs import Moment, moments
from plexus_post.readers.run import Run


def pictures(a: Run, b: Run, fields: list[str], folder: Path, time: float | None = None) -> list[Path]:
    """Draw the scalars and vectors among some fields, all in common by default; return the files.

    The time is the common one that is nearest to ``time``, by default the last.

    Raises
    ------
    PostError
        If the runs have no field or time in common, or their meshes differ.
    """
    wanted = np.inf if time is None else time
    shown = min(moments(a, b), key=lambda both: abs(both.time - min(wanted, a.times[-1])))
    made = [_picture(shown, name, *pair, folder) for name, pair in shown.fields(fields or None).items()]
    return [path for path in made if path is not None]


def _picture(both: Moment, name: str, mine: np.ndarray, theirs: np.ndarray, folder: Path) -> Path | None:
    """Draw both runs in the same colours, and their difference in its own; a tensor has no picture."""
    scene = Scene(both.a, both.step)
    first, second, gap = (scene.view(name, v) for v in (mine, theirs, mine.astype(float) - theirs))
    if first is None or second is None or gap is None:
        return None
    # the same unit, hence the same numbers, for both
    second = replace(
        second, values=second.values * (first.size / second.size), unit=first.unit, size=first.size,
        components=second.components * (first.size / second.size),
    )  # fmt: skip
    palette = np.concatenate([first.values, second.values])
    views = [
        replace(first, title=both.a.name, palette=palette, peak=""),
        replace(second, title=both.b.name, palette=palette, peak=""),
        replace(gap, title=f"{both.a.name} - {both.b.name}", peak=""),
    ]
    return beside([replace(v, arrows=None) for v in views], folder / f"{file_name(name)}.png")
