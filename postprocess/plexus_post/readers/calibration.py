"""Calibrations: fitted controls and what is known of them, readings beside those of the fit, iterations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plexus.fileformat import CALIBRATION, shown
from plexus_post.readers.hdf5 import array, open_file, reading, text_of

Array = np.ndarray


@dataclass(frozen=True)
class Curve:
    """Values over an argument, (k,) each: fitted, at the start, and deviations with and without the data.

    ``std`` and ``before`` are None where they are not known.
    """

    name: str
    unit: str
    at: Array
    values: Array
    start: Array
    std: Array | None
    before: Array | None = None


@dataclass(frozen=True)
class Control:
    """One fitted control.

    Attributes
    ----------
    numbers : its numbers over their places in order; ``courses`` its values over each input of a function.
    seen : (n,) share of the variance of each number that the data have taken away, or None.
    location : ``node`` or ``cell`` where it is a field, else ``own``; places : (n, d) of a field, or None.
    """

    name: str
    unit: str
    numbers: Curve
    courses: list[Curve]
    seen: Array | None
    location: str
    places: Array | None


@dataclass(frozen=True)
class Readings:
    """One block of measurements: (k,) numbers, times (NaN in a steady run), (k, 3) places."""

    of: str
    unit: str
    measured: Array
    computed: Array
    deviation: Array
    time: Array
    places: Array

    @property
    def residuals(self) -> Array:
        """Computed less measured, in standard deviations."""
        return (self.computed - self.measured) / self.deviation


@dataclass(frozen=True)
class Calibration:
    """What a fit has left: ``history`` (k, 3) has objective, sum of squares, norm of the gradient."""

    controls: list[Control]
    readings: list[Readings]
    history: Array
    spectrum: Array | None


def read(folder: Path) -> Calibration | None:
    """Return the calibration of a run folder, None where there is none.

    Raises
    ------
    PostError
        If the file is damaged.
    """
    path = folder / CALIBRATION
    if not path.is_file():
        return None
    with open_file(path) as file, reading(path):
        controls = [_control(shown(name), group) for name, group in file["controls"].items()]
        spectrum = _maybe(file, "spectrum")
        return Calibration(controls, list(_readings(file["data"])), _numbers(file, "history", 2), spectrum)


def _numbers(group: Any, name: str, ndim: int = 1) -> Array:
    return np.asarray(array(group, name, "fiu", ndim)[()], dtype=float)


def _maybe(group: Any, name: str) -> Array | None:
    return _numbers(group, name) if name in group else None


def _control(name: str, group: Any) -> Control:
    values, knots = _numbers(group, "values"), _maybe(group, "knots")
    at = np.arange(len(values)) + 1.0 if knots is None else knots
    numbers = Curve(
        "t" if knots is not None else "number", "s" if knots is not None else "", at, values,
        _numbers(group, "start"), _maybe(group, "std"), _maybe(group, "before"),
    )  # fmt: skip
    courses = [_course(shown(name), part) for name, part in group.get("courses", {}).items()]
    places = _numbers(group, "places", 2) if "places" in group else None
    unit, location = (text_of(group.attrs[fact]) for fact in ("unit", "location"))
    return Control(name, unit, numbers, courses, _maybe(group, "seen"), location, places)


def _course(name: str, group: Any) -> Curve:
    at, values, start = (_numbers(group, part) for part in ("at", "values", "start"))
    return Curve(name, text_of(group.attrs["unit"]), at, values, start, _maybe(group, "std"))


def _readings(group: Any) -> Iterator[Readings]:
    entry = _numbers(group, "entry")
    measured, computed, deviation, time = (
        _numbers(group, name) for name in ("measured", "computed", "deviation", "time")
    )
    places = _numbers(group, "places", 2)
    for i, (of, unit) in enumerate(zip(group.attrs["of"], group.attrs["unit"], strict=True)):
        k = entry == i
        yield Readings(shown(text_of(of)), text_of(unit), measured[k], computed[k], deviation[k], time[k],
                       places[k])  # fmt: skip
