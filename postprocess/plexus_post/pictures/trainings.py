"""Pictures of several trainings: losses, and errors on the validation over the number of samples.

Trainings that differ in nothing but their seeds are one line with a band from the least to the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.errors import PostError
from plexus_post.pictures.histories.training import over_steps, running_mean, scaled
from plexus_post.pictures.panels import panels
from plexus_post.pictures.style import FAILED, save
from plexus_post.readers.training import Group, Training, groups, judged_alike
from plexus_post.units import words

BESIDE = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
"""Legends stand beside the panel, where nothing is drawn."""
MANY = 8
"""More lines than the style has colours are coloured in their order."""
Errors = dict[str, tuple[float, dict[str, float]]]


def pictures(trainings: Sequence[Training], folder: Path) -> list[Path]:
    """Draw trainings beside each other; return the files.

    Raises
    ------
    PostError
        If none of them has taken a step.
    """
    kept = [t for t in trainings if t.stages]
    if not kept:
        raise PostError(f"{folder}: no training to draw has taken a step")
    made = [_losses(groups(kept), folder / "losses.png")]
    judged = [t for t in kept if t.validation]
    if judged:
        made.append(_curves(judged, folder / "learning_curve.png"))
    return made


def _losses(every: list[Group], path: Path) -> Path:
    """Draw the running means of the losses over the steps, seeds as a band."""
    figure, (axes,) = panels(1)
    for i, group in enumerate(every):
        steps, values = _together([_smooth(t) for t in group.trainings])
        _band(axes, steps, values, _colour(i, len(every)), group.title)
    scaled(axes, np.concatenate([line.get_ydata() for line in axes.lines]))
    axes.set_ylabel("loss (running mean)")
    over_steps(axes)
    axes.set_title("Losses of trainings")
    _legend(axes, len(every) > 1 or len(every[0].trainings) > 1)
    return save(figure, path)


def _smooth(training: Training) -> tuple[np.ndarray, np.ndarray]:
    """Return steps (n,) and the running means of the loss in each stage (n,)."""
    rows = [
        (s.rows["step"].to_numpy(float), running_mean(s.rows["loss"].to_numpy(float)))
        for s in training.stages
    ]
    return np.concatenate([steps for steps, _ in rows]), np.concatenate([values for _, values in rows])


def _together(lines: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps of all lines (n,) and their values there (lines, n), NaN where a line has ended."""
    steps = np.unique(np.concatenate([x for x, _ in lines]))
    return steps, np.stack([np.interp(steps, x, y, right=np.nan) for x, y in lines])


def _band(axes: Any, x: np.ndarray, values: np.ndarray, colour: Any, text: str, marker: str = "") -> None:
    """Draw the median of lines (lines, n) over x (n,) and what lies between the least and the largest."""
    known = np.isfinite(values).any(axis=0)
    x, values = x[known], values[:, known]
    if len(x):
        axes.plot(x, np.nanmedian(values, axis=0), color=colour, label=text, marker=marker)
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        axes.fill_between(x, low, high, color=colour, alpha=0.2, lw=0)


def _curves(trainings: list[Training], path: Path) -> Path:
    """Draw a panel per metric: errors over samples, or by group where all have as many, and the rivals'."""
    every = groups(trainings)
    metrics = list(dict.fromkeys(m for t in trainings for m in t.errors()))
    sizes = {group.samples for group in every}
    over_size = len(sizes) > 1 and None not in sizes
    figure, rows = panels(len(metrics))
    for axes, metric in zip(rows, metrics, strict=True):
        (_over_samples if over_size else _by_group)(axes, every, metric)
        _rivals(axes, trainings, metric)
        scaled(axes, np.concatenate([np.atleast_1d(line.get_ydata()).astype(float) for line in axes.lines]))
        axes.set_ylabel(metric)
    if over_size:
        rows[-1].set_xlabel("samples to learn from")
    rows[0].set_title("Learning curve" if over_size else "Validation of trainings")
    _legend(rows[0], True)
    if not judged_alike(trainings):
        figure.supxlabel("validated on different data: not errors of one task", color=FAILED, fontsize=8.5)
    return save(figure, path)


def _over_samples(axes: Any, every: list[Group], metric: str) -> None:
    """Draw the errors over the number of samples, a line for what else differs and its seeds as a band."""
    from matplotlib.ticker import NullLocator

    names = list(dict.fromkeys(group.name for group in every))
    for i, name in enumerate(names):
        mine = sorted((g for g in every if g.name == name), key=lambda g: g.samples or 0)
        found = [_errors(group, metric) for group in mine]
        x = np.array([group.samples for group in mine], dtype=float)
        values = np.full((max(map(len, found)), len(x)), np.nan)
        for n, errors in enumerate(found):
            values[: len(errors), n] = errors
        seeds = f", {len(values)} seeds" if len(values) > 1 else ""
        _band(axes, x, values, _colour(i, len(names)), f"{name or 'trained'}{seeds}", "o")
    sizes = sorted({group.samples or 0 for group in every})
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{n:,}" for n in sizes])
    axes.xaxis.set_minor_locator(NullLocator())


def _by_group(axes: Any, every: list[Group], metric: str) -> None:
    """Draw the errors of each group as points, one per seed, with their median as a bar."""
    for i, group in enumerate(every):
        errors = _errors(group, metric)
        axes.plot(
            np.full(len(errors), i), errors, "o", color="C0", alpha=0.5, label="a training" if not i else None
        )
        axes.plot(i, np.median(errors) if len(errors) else np.nan, "_", ms=22, mew=2, color="C0")
    long = len(every) > 4 or max(len(group.title) for group in every) > 20
    slanted = {"rotation": 25, "ha": "right", "rotation_mode": "anchor"} if long else {}
    axes.set_xticks(range(len(every)), [group.title or "all" for group in every], **slanted)
    axes.set_xlim(-0.5, len(every) - 0.5)


def _errors(group: Group, metric: str) -> np.ndarray:
    """Return the errors of the trainings of a group that have them."""
    every = [t.errors() for t in group.trainings]
    return np.array([errors[metric][0] for errors in every if metric in errors])


def _rivals(axes: Any, trainings: list[Training], metric: str) -> None:
    """Draw the errors of the classical rivals as broken lines: they learn nothing."""
    known = [t.errors()[metric][1] for t in trainings if metric in t.errors()]
    for i, name in enumerate(dict.fromkeys(name for rivals in known for name in rivals)):
        value = float(np.median([rivals[name] for rivals in known if name in rivals]))
        axes.axhline(value, color="#777777", ls=("--", ":", "-.")[i % 3], lw=1.2, label=words(name))


def _colour(i: int, count: int) -> Any:
    """Return the colour of a line: the style's own, or in order where there are more."""
    from matplotlib import colormaps

    return f"C{i}" if count <= MANY else colormaps["viridis"](0.9 * i / (count - 1))


def _legend(axes: Any, wanted: bool) -> None:
    if wanted and axes.get_legend_handles_labels()[1]:
        axes.legend(**BESIDE)
