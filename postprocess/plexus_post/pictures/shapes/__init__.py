"""Pictures of fields on meshes of one, two and three dimensions, one file per dimension."""

from __future__ import annotations

from importlib import import_module

from plexus_post.errors import PostError
from plexus_post.pictures.view import Shape

FILES = {1: "line", 2: "plane", 3: "solid"}
"""Dimension of the cells -> file."""


def of_dimension(dim: int) -> Shape:
    """Return how meshes of a dimension are drawn.

    Raises
    ------
    PostError
        If its cells are points.
    """
    if dim not in FILES:
        raise PostError("fields on points have no picture; `plexus-post export` writes their values")
    shape: Shape = import_module(f"{__name__}.{FILES[dim]}").SHAPE
    return shape
