"""Pictures of a calibration: controls, readings beside those of the fit, iterations, what the data see."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plexus_post.pictures.controls import controls
from plexus_post.pictures.fitted import readings
from plexus_post.pictures.panels import panels
from plexus_post.pictures.style import save
from plexus_post.readers.calibration import read
from plexus_post.readers.run import Run

SEEN, UNSEEN = "C0", "#999999"
"""Colours of what the data determine, and of what they leave as it was."""
ROUNDING = 1e-13
"""λ below this share of the largest are zero."""


def calibration(run: Run, folder: Path) -> list[Path]:
    """Draw the calibration of a run; return the files, none where there is none."""
    found = read(run.folder)
    if found is None:
        return []
    made = [*controls(run, found, folder), readings(run, found.readings, folder / "calibration_readings.png")]
    count = sum(len(part.measured) for part in found.readings)
    made.append(_history(found.history, count, folder / "calibration_history.png"))
    if found.spectrum is not None and len(found.spectrum) > 1:
        made.append(_spectrum(found.spectrum, folder / "calibration_spectrum.png"))
    return made


def _history(history: np.ndarray, count: int, path: Path) -> Path:
    """Draw objective, misfit and norm of the gradient over the iterations."""
    figure, (above, below) = panels(2)
    objective, squares, steepness = history.T
    steps = np.arange(len(history))
    above.plot(steps, objective, "o-", color="C0", label="objective: misfit and regularisation")
    above.plot(steps, squares / 2, "s--", color="C1", label="misfit ½ Σ (residual / deviation)²")
    above.axhline(count / 2, color="#777777", ls=":", label="what the deviations allow: ½ per measurement")
    above.set_ylabel("objective")
    above.set_title("Iterations of the fit")
    below.plot(steps, steepness, "o-", color="C0")
    below.set_ylabel("norm of the gradient\n(numbers in their scales)")
    below.set_xlabel("iteration")
    below.xaxis.get_major_locator().set_params(integer=True)
    for axes, values in ((above, np.append(squares, objective)), (below, steepness)):
        if values.min() > 0:
            axes.set_yscale("log")
    above.legend()
    return save(figure, path)


def _spectrum(spectrum: np.ndarray, path: Path) -> Path:
    """Draw λ of each direction, and the line above which the data know more than was known before."""
    figure, (axes,) = panels(1)
    number, positive = np.arange(len(spectrum)) + 1, spectrum > ROUNDING * max(spectrum.max(), 1e-300)
    for name, colour, which in (
        ("seen by the data", SEEN, spectrum >= 1),
        ("not seen by the data", UNSEEN, (spectrum < 1) & positive),
    ):
        if which.any():
            axes.plot(number[which], spectrum[which], "o", color=colour, label=f"{name}: {which.sum()}")
    axes.axhline(1.0, color="C1", lw=1.2, label="as much as was known before")
    axes.set_yscale("log")
    zero = int((~positive).sum())
    axes.set_xlabel("direction" + (f" ({zero} more have λ = 0)" if zero else ""))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylabel("λ")
    seen = float(np.sum(spectrum / (1 + spectrum)))
    axes.set_title(f"The data determine {seen:.3g} of {len(spectrum)} directions")
    axes.legend()
    return save(figure, path)
