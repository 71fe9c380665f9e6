"""Pictures of sampled fields over time at a point, or over the distance along points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from plexus_post.errors import PostError
from plexus_post.pictures.panels import lines, panels
from plexus_post.pictures.style import save
from plexus_post.readers.run import Run
from plexus_post.units import label, scale


def along(data: Mapping[str, np.ndarray], axis: str, run: Run, path: Path) -> Path:
    """Draw sampled columns over ``time`` or ``distance``, one panel per field; return the path."""
    # what was asked for may be a component alone
    every = {
        n: [c for c in data if run.component(c)[0] == n and np.nan_to_num(data[c]).any()] for n in run.fields
    }
    fields = {n: c for n, c in every.items() if c}
    if not fields:
        raise PostError("nothing to draw: all values are zero or outside the mesh")
    figure, rows = panels(len(fields))
    factor, length = scale("m" if axis == "distance" else "", data[axis])
    for axes, (name, columns) in zip(rows, fields.items(), strict=True):
        lines(
            axes, data[axis] * factor, {c: data[c] for c in columns}, dict.fromkeys(columns, run.unit(name))
        )
    rows[-1].set_xlabel(label(axis, length or "s"))
    rows[0].set_title(run.title)
    return save(figure, path)
