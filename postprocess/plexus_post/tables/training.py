"""Tables of trainings: the stages of one, and what several are worth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from plexus_post.readers.run import Run
from plexus_post.readers.training import Group, Training, groups, judged_alike, ratio
from plexus_post.tables.table import Table
from plexus_post.text import number
from plexus_post.units import words

OTHER_DATA = "The trainings were validated on different data: their errors are not those of one task."


def stages(run: Run) -> Table:
    """Return how the loss fell in each stage of a training; no rows where there is none."""
    training, rows = Training(run), []
    for stage in training.stages:
        steps, loss = stage.rows["step"], stage.rows["loss"]
        kept = loss[np.isfinite(loss)]
        gradient = stage.rows["gradient"].iloc[-1] if "gradient" in stage.rows else None
        figures = (loss.iloc[0], loss.iloc[-1], kept.min() if len(kept) else None, gradient)
        told = (number(None if v is None else float(v)) for v in figures)
        rows.append((str(stage.number), stage.name, f"to {int(steps.iloc[-1])}", *told))
    size = f"Learned from {training.samples} samples." if training.samples is not None else ""
    head = ("stage", "what", "steps", "first loss", "last loss", "least", "gradient at the end")
    return Table("Stages of the training", head, rows, size)


def compared(trainings: Sequence[Training]) -> Table:
    """Return the errors on the validation of trainings that differ in more than seeds, over their seeds."""
    rows = [row for group in groups(trainings) for row in _errors(group)]
    head = ("training", "samples", "seeds", "error", "mean", "least", "largest", "best rival", "ratio")
    return Table("Trainings", head, rows, "" if judged_alike(trainings) else OTHER_DATA)


def _errors(group: Group) -> list[tuple[str, ...]]:
    """Return a row per metric of trainings that differ in their seeds only."""
    every = [t.errors() for t in group.trainings]
    rows = []
    for metric in dict.fromkeys(m for errors in every for m in errors):
        found = np.array([errors[metric][0] for errors in every if metric in errors])
        rivals = {n: e for errors in every if metric in errors for n, e in errors[metric][1].items()}
        best = min(rivals, key=lambda n: rivals[n]) if rivals else ""
        figures = (number(float(v)) for v in (found.mean(), found.min(), found.max()))
        part = number(ratio(float(found.mean()), rivals.values())) if rivals else "-"
        rival = f"{words(best)} {number(rivals[best])}" if rivals else "-"
        name = (group.name or "all", number(group.samples), str(len(found)))
        rows.append((*name, metric, *figures, rival, part))
    return rows
