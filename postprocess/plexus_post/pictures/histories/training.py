"""Pictures of trainings: loss and learning rate over the steps, a colour per stage."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plexus_post.pictures.history import History
from plexus_post.pictures.panels import panels
from plexus_post.pictures.style import save

TABLE = "training"
"""Name of the table that a training writes."""
COLUMNS = ("loss", "rate", "stage", "step")
"""Its columns; there is a row every now and then."""
SHARE = 20
"""The running mean goes over this part of a stage's rows."""


def suits(history: History) -> bool:
    """Return whether the table is that of a training."""
    return history.name == TABLE and set(COLUMNS) <= set(history.table)


def draw(history: History, path: Path) -> Path:
    """Draw a training; return the path."""
    table = history.table
    figure, (loss, rate) = panels(2)
    count, before = table["stage"].to_numpy(int), 0.0
    for stage in np.unique(count):
        rows = table[count == stage]
        steps, values = rows["step"].to_numpy(float), rows["loss"].to_numpy(float)
        colour = f"C{stage % 8}"
        loss.plot(steps, values, color=colour, lw=0.8, alpha=0.4)
        loss.plot(steps, running_mean(values), color=colour, lw=2, label=f"stage {stage + 1}")
        rate.plot(steps, rows["rate"], color=colour)
        if before:
            for axes in (loss, rate):
                axes.axvline(before, color="#bbbbbb", lw=0.8, ls=":")
        before = float(steps[-1])
    loss.set_title("Training")
    loss.set_ylabel("loss (thick: running mean)")
    rate.set_ylabel("learning rate")
    rate.set_xlabel("step")
    for axes, name in ((loss, "loss"), (rate, "rate")):
        if (table[name] > 0).all():
            axes.set_yscale("log")
    if len(np.unique(count)) > 1:
        loss.legend()
    return save(figure, path)


def running_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of each value (n,) and its neighbours, fewer of them at the ends."""
    width = 2 * (len(values) // (2 * SHARE)) + 1
    ones = np.ones(width)
    total = np.convolve(values, ones, "same") / np.convolve(np.ones(len(values)), ones, "same")
    return np.asarray(total[: len(values)])
