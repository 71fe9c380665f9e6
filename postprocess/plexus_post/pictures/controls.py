"""Pictures of fitted controls: numbers, functions and fields, each with its 95 % band or deviation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.pictures.control_fields import field
from plexus_post.pictures.panels import panels
from plexus_post.pictures.style import pyplot, save
from plexus_post.readers.calibration import Calibration, Control, Curve, Readings
from plexus_post.readers.run import Run
from plexus_post.units import label, short, words

WIDE = 1.96
"""Standard deviations to either side that hold 95 %."""


def controls(run: Run, found: Calibration, folder: Path) -> list[Path]:
    """Draw every control; return the files."""
    plain = [c for c in found.controls if len(c.numbers.values) == 1]
    made = [_numbers(plain, folder / "calibration_numbers.png")] if plain else []
    for control in found.controls:
        path = folder / f"calibration_{control.name}.png"
        if control.courses:
            made.append(_curves(control, control.courses, found.readings, path))
        elif control.places is not None and control.places.shape[1] > 1:
            made += field(run, control, control.places, found.readings, path)
        elif control not in plain:
            made.append(_curves(control, [_along(control)], (), path))
    return made


def _numbers(every: Sequence[Control], path: Path) -> Path:
    """Draw single numbers, each over its own axis: before and after."""
    figure, rows = pyplot().subplots(
        len(every), 1, figsize=(7.0, 0.5 + 0.95 * len(every)), squeeze=False, layout="constrained"
    )
    for axes, control in zip(rows[:, 0], every, strict=True):
        one = control.numbers
        std, before = (float(s[0]) if s is not None else np.nan for s in (one.std, one.before))
        value, start = float(one.values[0]), float(one.start[0])
        bars = ((start, before, 0, "#999999", "before"), (value, std, 1, "C0", "fitted, 95 %"))
        for x, deviation, y, colour, name in bars:
            known = np.isfinite(deviation)
            axes.errorbar(x, y, xerr=WIDE * deviation if known else None, fmt="o", color=colour, capsize=3,
                          label=name)  # fmt: skip
        told = f" ± {std:.3g}" if np.isfinite(std) else ""
        axes.set_title(f"{words(control.name)} = {value:.6g}{told} {short(control.unit)}", fontsize=9.5)
        axes.set_yticks([0, 1], ["before", "fitted"])
        axes.set_ylim(-0.6, 1.6)
    return save(figure, path)


def _along(control: Control) -> Curve:
    """Return the numbers over what they stand at: times, positions on a line, else their count."""
    if control.places is None:
        return control.numbers
    order, x = np.argsort(control.places[:, 0]), control.numbers
    parts = (None if s is None else s[order] for s in (x.values, x.start, x.std, x.before))
    return Curve("x", "m", control.places[order, 0], *parts)  # type: ignore[arg-type]  # the first are there


def _curves(control: Control, curves: Sequence[Curve], readings: Sequence[Readings], path: Path) -> Path:
    """Draw values over an argument with their band, a panel per argument."""
    figure, every = panels(len(curves))
    for axes, curve in zip(every, curves, strict=True):
        _band(axes, curve, control.courses == [])
        axes.set_ylabel(label(control.name, short(control.unit)))
        axes.set_xlabel(label(curve.name, short(curve.unit)))
        axes.tick_params(labelbottom=True)
        visited = [r.measured for r in readings if r.of == curve.name]
        if visited:
            low, high = np.concatenate(visited).min(), np.concatenate(visited).max()
            axes.axvspan(low, high, color="C2", alpha=0.08, lw=0, label="values that were measured")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    every[0].set_title(f"Fitted {words(control.name)}")
    return save(figure, path)


def _band(axes: Any, curve: Curve, marked: bool) -> None:
    """Draw a curve with its 95 % band, and beneath it the start with what was known before."""
    x, y = curve.at, curve.values
    lines = np.concatenate([y, curve.start])
    if curve.std is not None and np.isfinite(curve.std).any():
        wide = WIDE * np.where(np.isfinite(curve.std), curve.std, np.nan)
        axes.fill_between(x, y - wide, y + wide, color="C0", alpha=0.22, lw=0, label="95 %")
        lines = np.concatenate([lines, (y - wide), (y + wide)])
    low, high = np.nanmin(lines), np.nanmax(lines)
    if curve.before is not None and np.isfinite(curve.before).all():
        wide = WIDE * curve.before
        axes.fill_between(x, curve.start - wide, curve.start + wide, color="#999999", alpha=0.15, lw=0,
                          zorder=0, label="95 % before")  # fmt: skip
    axes.plot(x, curve.start, color="#777777", ls="--", lw=1.2, label="start")
    axes.plot(x, y, color="C0", marker="o" if marked else None, label="fitted")
    # what was known before may be much wider than what is asked about
    pad = 0.25 * (high - low) or 0.1 * abs(high) or 1.0
    axes.set_ylim(low - pad, high + pad)
