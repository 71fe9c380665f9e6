"""How long a run follows a reference run, and how its statistics compare after that.

    e(t) = |u - u_ref| / |u_ref|      root mean squares over the box

A chaotic flow leaves any approximation behind; the horizon is the time at which e passes a threshold.
Afterwards only statistics can agree: the order, the speed, the spectrum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plexus_post.errors import PostError
from plexus_post.nematics import spectrum
from plexus_post.nematics.names import VELOCITY
from plexus_post.nematics.nematic import Nematic, Statistics
from plexus_post.readers.periodic import Box, same_box

THRESHOLDS = (0.05, 0.30, 1.00)
"""Relative errors whose times are told."""
SHELLS = 12
"""The spectra are compared up to this shell."""
EMPTY = 1e-24
"""A shell with less energy than this share of the fullest one holds rounding."""


@dataclass(frozen=True)
class Windows:
    """Which times are averaged: early ones for the order's error, later ones for long-time statistics."""

    early: tuple[float, float] = (2.0, 10.0)
    late: float = 15.0


@dataclass(frozen=True)
class Row:
    """What one run is beside its reference.

    Attributes
    ----------
    horizons : times at which each of `THRESHOLDS` is passed, infinite where it never is.
    early_order : mean absolute error of the mean order in the early window (dr).
    spectrum : root mean square of log10(E / E_ref) of the late spectra (spec).
    speed, order, defects : means over the late window, NaN for what a flow without director does not have.
    """

    name: str
    horizons: tuple[float, ...]
    early_order: float
    spectrum: float
    speed: float
    order: float
    defects: float


def common(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the times that two runs share, in both."""
    span = max(float(np.abs(a).max(initial=0)), float(np.abs(b).max(initial=0)), 1e-300)
    near = np.abs(a[:, None] - b[None]) <= 1e-6 * span
    return tuple(np.nonzero(near))  # type: ignore[return-value]


def errors(run: Box, reference: Box, field: str = VELOCITY) -> tuple[np.ndarray, np.ndarray]:
    """Return the shared times (S,) and the relative error of a field at each.

    A run on another number of points is compared on the points of the coarser one, as waves.

    Raises
    ------
    PostError
        If the boxes differ, or there are no two common times.
    """
    same_box([reference, run])
    mine, theirs = common(run.times, reference.times)
    if len(mine) < 2:
        raise PostError(f"{run.run.name} and {reference.run.name} have fewer than two times in common")
    cells = min(run.cells, reference.cells)
    found = []
    for i, j in zip(mine, theirs, strict=True):
        a, b = (spectrum.resample(box.field(field, s), cells) for box, s in ((run, i), (reference, j)))
        size = float(np.sqrt((b**2).mean()))
        found.append(float(np.sqrt(((a - b) ** 2).mean())) / (size or 1.0))
    return run.times[mine], np.array(found)


def passed(times: np.ndarray, error: np.ndarray, threshold: float) -> float:
    """Return the time at which an error (S,) first exceeds a threshold, infinite if it never does.

    Between the times (S,) the error is taken as growing linearly; one that is not finite exceeds everything.
    """
    above = np.flatnonzero(~(error <= threshold))
    if not len(above):
        return float("inf")
    n = int(above[0])
    if n == 0 or not np.isfinite(error[n]):
        return float(times[n])
    return float(np.interp(threshold, error[n - 1 : n + 1], times[n - 1 : n + 1]))


def spectral_error(a: np.ndarray, b: np.ndarray) -> float:
    """Return the root mean square of log10(a / b) over the first `SHELLS` shells of mean spectra (K,)."""
    shells = min(SHELLS, len(a), len(b))
    a, b = a[:shells], b[:shells]
    # what is empty but for rounding has no logarithm worth comparing
    full = (a > EMPTY * a.max()) & (b > EMPTY * b.max())
    return float(np.sqrt(np.mean(np.log10(a[full] / b[full]) ** 2))) if full.any() else float("nan")


def order_error(run: Statistics, reference: Statistics, window: tuple[float, float]) -> float:
    """Return the mean absolute difference of the mean order within a window of time; NaN without times."""
    mine, theirs = common(run.times, reference.times)
    times = run.times[mine]
    inside = (times >= window[0] - 1e-9) & (times <= window[1] + 1e-9)
    gap = np.abs(run.order[mine] - reference.order[theirs])[inside]
    return float(gap.mean()) if len(gap) else float("nan")


class Comparison:
    """Runs beside a reference.

    Parameters
    ----------
    reference, runs
        The reference and what is compared with it.
    names
        Names of the reference and of the runs.
    windows
        Which times are averaged.

    Attributes
    ----------
    statistics : of the reference and of the runs.
    curves : for each run the shared times and the relative velocity error.
    oriented : whether all of them have a director.
    """

    def __init__(self, reference: Nematic, runs: list[Nematic], names: list[str], windows: Windows):
        self.windows = windows
        self.curves = [errors(r.box, reference.box) for r in runs]
        every = [reference, *runs]
        self.oriented = all(n.oriented for n in every)
        self.statistics = [Statistics.of(n, name) for n, name in zip(every, names, strict=True)]
        # what all of them reach; a run that stopped early is averaged over what there is
        self.late = min(windows.late, *(0.5 * float(s.times[-1]) for s in self.statistics))

    def mean_spectrum(self, number: int) -> np.ndarray:
        """Return the late mean spectrum (K,) of the reference (0) or of a run (1 …)."""
        s = self.statistics[number]
        return np.asarray(s.energy[s.late(self.late)].mean(axis=0))

    def rows(self) -> list[Row]:
        """Return the reference and the runs as rows of a table."""
        return [self._row(i) for i in range(len(self.statistics))]

    def _row(self, number: int) -> Row:
        s, reference = self.statistics[number], self.statistics[0]
        late = s.late(self.late)
        means = [float(v[late].mean()) for v in (s.speed, s.order, s.history.counts.sum(axis=1))]
        if np.isnan(means[1]):
            means[2] = np.nan
        if number == 0:
            return Row(s.name, (np.nan,) * len(THRESHOLDS), np.nan, np.nan, *means)
        horizons = tuple(passed(*self.curves[number - 1], t) for t in THRESHOLDS)
        early = order_error(s, reference, self.windows.early)
        spread = spectral_error(self.mean_spectrum(number), self.mean_spectrum(0))
        return Row(s.name, horizons, early, spread, *means)
