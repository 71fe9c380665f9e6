"""Several views of one mesh beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from plexus_post.pictures.shapes import of_dimension
from plexus_post.pictures.style import pyplot, save
from plexus_post.pictures.view import View

SMALLER = 0.8
"""Size of one of several views, relative to a picture of its own."""


def beside(views: Sequence[View], path: Path) -> Path:
    """Write the picture of some views in one row; return its path."""
    shape = of_dimension(views[0].grid.dim)
    width, height = (SMALLER * x for x in shape.size(views[0]))
    figure = pyplot().figure(figsize=(len(views) * width, height))
    for part, view in zip(figure.subfigures(1, len(views), squeeze=False)[0], views, strict=True):
        shape.place(part, view)
    return save(figure, path)
