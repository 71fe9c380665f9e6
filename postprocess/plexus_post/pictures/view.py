"""What one picture of a field shows, and what draws it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plexus_post.readers.grid import Grid
from plexus_post.units import label


@dataclass(frozen=True)
class View:
    """One scalar picture, in units for people: what is drawn where.

    Attributes
    ----------
    grid : mesh; values : (P,) or (C,), already scaled; location : ``point`` or ``cell``.
    unit, length : units of the values and of the coordinates; factor : metres to ``length``.
    shift : (P, 3) displacement to draw, already exaggerated and scaled, or None.
    about, note : what the field is; what a reader must know, e.g. the time and the exaggeration.
    mesh : whether to draw all edges; arrows : (P, 3) vectors whose directions are shown, or None.
    fold : the arrows stand at this many times the angle of what is drawn; from 2 on rods without heads.
    map : colour map, or empty where the values choose it.
    """

    name: str
    title: str
    about: str
    grid: Grid
    values: np.ndarray
    location: str
    unit: str
    factor: float
    length: str
    shift: np.ndarray | None = None
    note: str = ""
    mesh: bool = False
    arrows: np.ndarray | None = None
    fold: int = 1
    map: str = ""

    @property
    def label(self) -> str:
        """Label of the colour bar."""
        return label(self.name, self.unit)

    @property
    def points(self) -> np.ndarray:
        """Coordinates (P, 3) as drawn, without displacement."""
        return self.grid.points * self.factor

    @property
    def moved(self) -> np.ndarray:
        """Coordinates (P, 3) as drawn, displaced."""
        return self.points if self.shift is None else self.points + self.shift


@dataclass(frozen=True)
class Shape:
    """How meshes of one dimension are drawn.

    Attributes
    ----------
    draw : writes the picture of a view and returns its path.
    overview : writes several views into one picture and returns its path, or None.
    """

    draw: Callable[[View, Path], Path]
    overview: Callable[[Sequence[View], Path], Path] | None = None
