"""Spectrum of the snapshots, error against points, error against indicator: one panel each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.pictures.style import LINE, pyplot, save
from plexus_post.reduced.model import Model

ROUNDING = 1e-8
"""Relative singular value below which the spectrum of a Gram matrix is rounding."""


def draw(model: Model, path: Path) -> Path:
    """Draw the panels that the file has numbers for; return the path."""
    panels = [_spectrum, _cubature] + ([_trust] if any(map(len, model.trajectories)) else [])
    how: dict[str, Any] = {"figsize": (4.2 * len(panels), 3.5), "layout": "constrained"}
    figure, every = pyplot().subplots(1, len(panels), **how)
    for axes, panel in zip(every, panels, strict=True):
        panel(axes, model)
    return save(figure, path)


def _spectrum(axes: Any, model: Model) -> None:
    """Singular values by number, those that were kept filled."""
    values = np.sqrt(np.maximum(model.spectrum, 0) / model.spectrum.max())
    numbers, kept = np.arange(1, len(values) + 1), values > model.tolerance
    seen = values > ROUNDING
    axes.semilogy(numbers[kept], values[kept], "o", color="C0", label=f"{kept.sum()} kept")
    left = seen & ~kept
    if left.any():
        told = f"{left.sum()} left out"
        axes.semilogy(numbers[left], values[left], "o", color="C0", fillstyle="none", label=told)
    axes.axhline(model.tolerance, color=LINE, linewidth=0.8, linestyle=":", label="tolerance")
    axes.set(xlabel="mode", ylabel="singular value / largest")
    # modes beyond those of the snapshots answer loads
    more = model.modes - int(kept.sum())
    whose = f": {kept.sum()} of snapshots, {more} of loads" if more > 0 else f" of the {model.unknown}"
    axes.set_title(f"{model.modes} modes{whose}", loc="left")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()


def _cubature(axes: Any, model: Model) -> None:
    """Error of the integrals as points were added."""
    axes.semilogy(model.counts, model.errors, ".-")
    axes.axhline(model.target, color=LINE, linewidth=0.8, linestyle=":", label="asked for")
    axes.set(xlabel="points", ylabel="relative error of the integrals")
    used = int((model.weights > 0).sum())
    axes.set_title(f"{used} of {model.total:,} points integrate", loc="left")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend()


def _trust(axes: Any, model: Model) -> None:
    """Error over indicator at all steps of the calibration, a colour for each trajectory."""
    pairs = np.concatenate(model.trajectories)
    for rows in model.trajectories:
        axes.loglog(rows[:, 0], rows[:, 1], "o", markersize=3)
    pairs = pairs[(pairs > 0).all(axis=1)]
    ends = np.array([pairs[:, 0].min(), pairs[:, 0].max()])
    worst = float(model.ratios.max())
    axes.loglog(ends, ends, color=LINE, linewidth=0.8, label="error = indicator")
    axes.loglog(
        ends, worst * ends, color=LINE, linewidth=0.8, linestyle=":", label=f"{worst:.3g} × indicator"
    )
    # whole decades, whose labels have room; those within one meet each other
    decades = [10 ** np.array([np.floor(x.min()), np.ceil(x.max())]) for x in np.log10(pairs.T)]
    axes.set(xlabel="indicator", ylabel="relative error of p", xlim=decades[0], ylim=decades[1])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter("")
    axes.set_title(f"{len(model.trajectories)} trajectories not seen before", loc="left")
    axes.legend()
