"""Films of several runs beside each other: panels with one colour scale, below them error and spectrum."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import fill as wrapped
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.nematics import spectrum
from plexus_post.nematics.horizon import THRESHOLDS, errors
from plexus_post.nematics.nematic import Nematic
from plexus_post.nematics.panel import PLUS, Shade, panel, resolved, shared_bar, spectrum_axes
from plexus_post.pictures.film import painted, write_gif
from plexus_post.pictures.style import LINE, pyplot, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image

DPI = 100
"""Pixels per inch of a film."""
RODS = 22
"""Rods along a side of a panel."""
MARGIN, GAP, BAR, HEAD, BETWEEN, CURVES, FOOT = 0.08, 0.1, 0.72, 0.3, 0.42, 1.15, 0.46
"""Inches: beside and between the panels, for the colour bar, above and below the panels, of the curves."""


class Film:
    """A film, drawn frame by frame.

    Parameters
    ----------
    runs, names
        What is shown, the reference first.
    times
        The moments; each run shows its nearest step.
    field
        What is shaded: ``order``, ``vorticity`` or ``speed``.
    width
        Pixels.
    """

    def __init__(self, runs: list[Nematic], names: list[str], times: np.ndarray, field: str, width: int):
        self.runs, self.names, self.times, self.width = runs, names, times, width / DPI
        some = times[:: max(1, len(times) // 12)].tolist()
        self.shade = Shade.of(field, runs, [runs[0].box.run.step(time=t) for t in some])
        self.curves = [errors(r.box, runs[0].box) for r in runs[1:]]
        self.top = max(float(np.nan_to_num(self._spectrum(run, t)[1]).max()) for run in runs for t in some)
        """Largest energy of a shell: the upper end of the spectra's axis."""
        # without a run to compare with, the order is shown, or the speed of a flow without director
        self.means = [] if self.curves else [self._mean(t) for t in times.tolist()]

    def _mean(self, time: float) -> float:
        run, step = self.runs[0], self.runs[0].box.run.step(time=time)
        return float((run.order(step) if run.oriented else run.speed(step)).mean())

    def _spectrum(self, run: Nematic, time: float) -> tuple[np.ndarray, np.ndarray]:
        return spectrum.energy(run.velocity(run.box.run.step(time=time)), run.box.lengths)

    def frame(self, time: float) -> Image:
        """Return the picture of one moment."""
        return painted(self._figure(time))

    def _figure(self, time: float) -> Figure:
        """Return the figure of one moment: a row of panels, below it error and spectrum."""
        # every place is fixed, so that nothing but the fields moves from frame to frame
        count, (x, y) = len(self.runs), self.runs[0].box.lengths
        side = (self.width - MARGIN - BAR - GAP * (count - 1)) / count
        high = side * float(y / x)
        # about 12 characters of a title fill an inch
        names = [wrapped(name, max(8, int(12 * side))) for name in self.names]
        head = HEAD + 0.15 * max(name.count("\n") for name in names)
        size = (self.width, head + high + BETWEEN + CURVES + FOOT)
        figure: Figure = pyplot().figure(figsize=size, dpi=DPI)

        def add(left: float, bottom: float, width: float, height: float) -> Axes:
            return figure.add_axes((left / size[0], bottom / size[1], width / size[0], height / size[1]))

        for i, (run, name) in enumerate(zip(self.runs, names, strict=True)):
            axes = add(MARGIN + i * (side + GAP), FOOT + CURVES + BETWEEN, side, high)
            fill = panel(axes, run, run.box.run.step(time=time), self.shade, RODS)
            axes.set_xticks([])
            axes.set_yticks([])
            # the titles are the legend of the curves below
            colour = f"C{i - 1}" if i else LINE
            axes.set_title(name, fontsize=10, pad=4, color=colour, linespacing=1.05)
        beside = MARGIN + count * (side + GAP) - GAP + 0.06
        bar = shared_bar(figure, fill, self.shade, cax=add(beside, FOOT + CURVES + BETWEEN, 0.1, high))
        bar.ax.tick_params(labelsize=7.5)
        left, right = 0.62, 0.26 * self.width
        wide = self.width - left - right - 0.15
        self._draw_history(add(left, FOOT, wide - 0.62, CURVES), time)
        self._draw_spectrum(add(left + wide, FOOT, right, CURVES), time)
        return figure

    def _draw_history(self, axes: Axes, time: float) -> None:
        """Draw the velocity errors up to now, or the order or speed of a single run."""
        axes.set_title(f"t = {time:5.2f}", fontsize=10, fontfamily="DejaVu Sans Mono", pad=4)
        axes.set_xlim(self.times[0], self.times[-1] + float(len(self.times) == 1))
        axes.set_xlabel("time t", fontsize=8.5)
        axes.tick_params(labelsize=7.5)
        curves = self.curves or [(self.times, np.array(self.means))]
        for i, (times, values) in enumerate(curves):
            now = times <= time + 1e-9
            colour = f"C{i}" if self.curves else LINE
            axes.plot(times[now], np.maximum(values[now], 1e-9), color=colour)
            axes.plot(times[now][-1:], np.maximum(values[now][-1:], 1e-9), "o", color=colour)
        if not self.curves:
            oriented = self.runs[0].oriented
            axes.set_ylim(0, 1 if oriented else 1.1 * float(np.nanmax(self.means, initial=0)) or 1)
            axes.set_ylabel("mean order r" if oriented else "mean speed", fontsize=8.5)
            return
        axes.set_yscale("log")
        axes.set_ylim(5e-3, 3)
        axes.set_ylabel("velocity error", fontsize=8.5)
        axes.set_yticks(THRESHOLDS, [f"{100 * t:g} %" for t in THRESHOLDS])
        axes.minorticks_off()

    def _draw_spectrum(self, axes: Axes, time: float) -> None:
        """Draw the velocity spectra of now."""
        last = 0
        for i, run in enumerate(self.runs):
            shells, energy = self._spectrum(run, time)
            how: dict[str, Any] = {"color": f"C{i - 1}", "lw": 1.4} if i else {"color": LINE, "lw": 2.0}
            axes.plot(shells, np.maximum(energy, 1e-300), **how)
            last = max(last, resolved(shells))
        spectrum_axes(axes, last, self.top)
        axes.set_yticks([10.0**n for n in range(-8, 1, 3) if 10.0**n < self.top])
        axes.set_xlabel(axes.get_xlabel(), fontsize=8.5)
        axes.set_title("velocity spectrum", fontsize=9, fontweight="normal", pad=4)
        axes.tick_params(labelsize=7.5)

    def write_gif(self, path: Path, fps: float) -> Path:
        """Write the film as an animated GIF that repeats; return the path.

        Raises
        ------
        PostError
            If it cannot be written.
        """
        lines = [f"C{i}" for i in range(len(self.curves))]
        return write_gif(self.frames(), path, fps, ["white", LINE, PLUS, *lines, *self.shade.colours])

    def frames(self) -> Iterator[Image]:
        """Yield the pictures of all moments."""
        return (self.frame(float(time)) for time in self.times)


def strip(runs: list[Nematic], names: list[str], times: np.ndarray, field: str, path: Path) -> Path:
    """Draw a few moments side by side, a row per run; return the path."""
    shade = Shade.of(field, runs, [runs[0].box.run.step(time=float(t)) for t in times])
    ratio = float(runs[0].box.lengths[1] / runs[0].box.lengths[0])
    size = (2.35 * len(times) + 0.9, 2.35 * ratio * len(runs) + 0.5)
    figure, grid = pyplot().subplots(len(runs), len(times), figsize=size, squeeze=False, layout="compressed")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.02, hspace=0.02)
    for row, run, name in zip(grid, runs, names, strict=True):
        for axes, time in zip(row, times, strict=True):
            fill = panel(axes, run, run.box.run.step(time=float(time)), shade)
            axes.set_xticks([])
            axes.set_yticks([])
        # about 10 characters fill an inch
        row[0].set_ylabel(wrapped(name, max(8, int(23 * ratio))), fontsize=11, fontweight="bold")
    for axes, time in zip(grid[0], times, strict=True):
        axes.set_title(f"t = {time:g}", loc="center", fontsize=10, fontweight="normal")
    shared_bar(figure, fill, shade, ax=grid, pad=0.01, aspect=30, shrink=0.7)
    return save(figure, path)
