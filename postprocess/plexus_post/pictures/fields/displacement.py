"""The displacement deforms its own picture, which says more than arrows."""

from __future__ import annotations

from dataclasses import replace

from plexus_post.pictures.deformation import DISPLACEMENT
from plexus_post.pictures.scenes import Scene
from plexus_post.pictures.view import View


def fields(scene: Scene) -> tuple[str, ...]:
    """Return the displacement where there is one."""
    return (DISPLACEMENT,) if DISPLACEMENT in scene.run.fields else ()


def view(scene: Scene, name: str) -> View | None:
    """Return its magnitude on the deformed mesh."""
    made = scene.view(name, warp=None)
    return made and replace(made, arrows=None)
