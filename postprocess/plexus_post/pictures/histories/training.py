"""Pictures of trainings: loss, norm of the gradient and learning rate over the steps, a colour per stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.pictures.history import History
from plexus_post.pictures.panels import FEW, panels
from plexus_post.pictures.style import save
from plexus_post.readers.training import COLUMNS, TABLE, Stage, Training

PANELS = {"loss": "loss", "gradient": "norm of the gradient", "rate": "learning rate"}
"""Column -> label; a column that the history lacks, or that tells nothing, has no panel."""
SHARE = 20
"""The running mean goes over this part of a stage's rows."""


def suits(history: History) -> bool:
    """Return whether the table is that of a training."""
    return history.name == TABLE and set(COLUMNS) <= set(history.table.reset_index())


def draw(history: History, path: Path) -> Path:
    """Draw a training; return the path."""
    training = Training(history.run)
    stages, table = training.stages, history.table
    shown = [c for c in PANELS if c == "loss" or (c in table and np.nan_to_num(table[c]).any())]
    figure, every = panels(len(shown))
    for axes, column in zip(every, shown, strict=True):
        axes.set_ylabel(PANELS[column])
        for stage in stages:
            _stage(axes, stage, column)
        for stage in stages[1:]:
            axes.axvline(stage.rows["step"].min(), color="#999999", lw=0.8, ls=":", zorder=0)
        scaled(axes, table[column].to_numpy(float))
    _named(every[0], stages, table["loss"].to_numpy(float))
    over_steps(every[-1])
    return save(figure, path)


def _stage(axes: Any, stage: Stage, column: str) -> None:
    """Draw a column over the steps of a stage, the loss with its running mean."""
    steps, values = stage.rows["step"].to_numpy(float), stage.rows[column].to_numpy(float)
    colour, smooth = f"C{(stage.number - 1) % 8}", running_mean(values)
    marker = "o" if len(steps) <= FEW // 4 else None
    name = f"{stage.number}: {stage.name}"
    if column == "loss" and not np.array_equal(smooth, values, equal_nan=True):
        axes.plot(steps, values, color=colour, lw=0.8, alpha=0.4)
        axes.plot(steps, smooth, color=colour, lw=2, label=name)
        axes.set_ylabel("loss (thick: running mean)")
    else:
        axes.plot(steps, values, color=colour, marker=marker, label=name)


def over_steps(axes: Any) -> None:
    """Label an axis of steps: whole numbers, also around a single one."""
    axes.set_xlabel("step")
    axes.xaxis.get_major_locator().set_params(integer=True)
    low, high = axes.get_xlim()
    if high - low < 2:
        axes.set_xlim(np.floor(low), np.ceil(high))


def scaled(axes: Any, values: np.ndarray) -> None:
    """Take a log axis where all finite values are positive, and say so where none is finite."""
    finite = values[np.isfinite(values)]
    if finite.size and finite.min() > 0:
        axes.set_yscale("log")
        # a decade around a single value, for no tick would be left
        if finite.max() < 1.05 * finite.min():
            axes.set_ylim(finite.min() / 10**0.5, finite.max() * 10**0.5)
    elif not finite.size:
        axes.text(0.5, 0.5, "no finite value", transform=axes.transAxes, ha="center", color="#c0392b")


def _named(axes: Any, stages: list[Stage], losses: np.ndarray) -> None:
    """Write the title; name the stages beside the panel, a single one in the title."""
    lost = int((~np.isfinite(losses)).sum())
    text = f"Training: {stages[0].name}" if len(stages) == 1 else "Training"
    axes.set_title(text + (f" ({lost} of {len(losses)} losses not finite)" if lost else ""))
    if len(stages) > 1:
        place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
        axes.legend(title="stage", title_fontsize=8.5, alignment="left", **place)


def running_mean(values: np.ndarray) -> np.ndarray:
    """Return the mean of each value (n,) and its neighbours, fewer of them at the ends."""
    width = 2 * (len(values) // (2 * SHARE)) + 1
    ones = np.ones(width)
    total = np.convolve(values, ones, "same") / np.convolve(np.ones(len(values)), ones, "same")
    return np.asarray(total[: len(values)])
