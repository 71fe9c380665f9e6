"""What one picture of a field shows, and what draws it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.readers.grid import Grid
from plexus_post.units import label


@dataclass(frozen=True)
class View:
    """One scalar picture, in units for people: what is drawn where.

    Attributes
    ----------
    grid : mesh; values : (P,) or (C,), already scaled; location : ``point`` or ``cell``.
    components : (n, c) what the values are made of, in the same unit; a scalar has one.
    unit, length : units of the values and of the coordinates; size, factor : what turned SI into them.
    shift : (P, 3) displacement to draw, already exaggerated and scaled, or None.
    about, when, note : what the field is; its time; what a reader must know, e.g. the exaggeration.
    mesh : whether to draw all edges; arrows : (P, 3) vectors whose directions are shown, or None.
    fold : the arrows stand at this many times the angle of what is drawn; from 2 on rods without heads.
    map : colour map, or empty where the values choose it; palette : values that choose colours, or None.
    run_unit : unit as the run has it.
    log : whether the values are decimal logarithms, which the colour bar tells as the numbers themselves.
    peak : why the largest value is not that of a quantity of the deck; empty where it is.
    """

    name: str
    title: str
    about: str
    grid: Grid
    values: np.ndarray
    components: np.ndarray
    location: str
    unit: str
    size: float
    factor: float
    length: str
    shift: np.ndarray | None = None
    when: str = ""
    note: str = ""
    mesh: bool = False
    arrows: np.ndarray | None = None
    fold: int = 1
    map: str = ""
    run_unit: str = ""
    palette: np.ndarray | None = None
    peak: str = ""
    log: bool = False

    @property
    def coloured(self) -> np.ndarray:
        """The values that choose the colours."""
        return self.values if self.palette is None else self.palette

    @property
    def what(self) -> str:
        """What the values are: the field, or the magnitude of its vectors."""
        return self.name if self.components.shape[1] == 1 else f"{self.name} magnitude"

    @property
    def label(self) -> str:
        """Label of the colour bar."""
        return label(self.what, self.unit)

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
    draw : writes the picture of a field, a view per moment, and returns its path.
    place : draws a view into an empty figure or a part of one.
    size : width and height of a figure for a view, in inches.
    overview : writes several fields into one picture and returns its path, or None.
    moments : how many moments it draws into one picture; the last one is that which was asked for.
    """

    draw: Callable[[Sequence[View], Path], Path]
    place: Callable[[Any, View], None]
    size: Callable[[View], tuple[float, float]]
    overview: Callable[[Sequence[Sequence[View]], Path], Path] | None = None
    moments: int = 1
