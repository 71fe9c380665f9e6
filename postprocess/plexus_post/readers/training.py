"""Trainings: the stages of one, its validation, and what several of them differ by.

The history of a training is the table ``training`` of its ``series.h5``; names of stages stand in its deck,
validation and number of samples in its summary.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.readers.run import Run
from plexus_post.readers.sweep import Sweep
from plexus_post.text import number
from plexus_post.units import words

if TYPE_CHECKING:
    import pandas

TABLE = "training"
"""Name of the table that a training writes."""
COLUMNS = ("step", "stage", "loss", "rate")
"""Its columns; ``gradient`` is one more, which the first trainings did not write."""
SEED = "seed"
"""Last part of the deck paths of seeds: trainings that differ in nothing else are repeats."""
ASIDE = ("about", "runtime", "job", "sweep", "output", "train.output")
"""Deck paths that say nothing about what is learned, with all below them."""
LONG = 48
"""Trainings whose differences take more characters are called by their folders."""
DATA, VALIDATION = "train.data", "train.validation"


@dataclass(frozen=True)
class Stage:
    """One stage: number from 1, name such as ``fit, adam``, and its rows of the history."""

    number: int
    name: str
    rows: pandas.DataFrame


class Training:
    """A run folder as that of a training.

    Parameters
    ----------
    run : what the folder holds; it may be half-written.
    """

    def __init__(self, run: Run):
        self.run = run

    @cached_property
    def stages(self) -> list[Stage]:
        """Stages of which the history has rows, in order."""
        if TABLE not in self.run.series_file.columns:
            return []
        table = self.run.series(TABLE).reset_index()
        if not set(COLUMNS) <= set(table):
            return []
        which = table["stage"].to_numpy(float)
        numbers = np.unique(which[np.isfinite(which)]).tolist()
        return [Stage(int(n) + 1, self._name(int(n)), table[which == n]) for n in numbers]

    def _name(self, n: int) -> str:
        """Return how stage ``n``, from 0, is called: type and optimiser as the deck has them."""
        train = self.run.deck.get("train")
        stages = train.get("stages") if isinstance(train, dict) else None
        stage = stages[n] if isinstance(stages, list) and 0 <= n < len(stages) else None
        if not isinstance(stage, dict):
            return f"stage {n + 1}"
        optimizer = stage.get("optimizer")
        kind = optimizer.get("type") if isinstance(optimizer, dict) else optimizer
        return ", ".join(words(str(part)) for part in (stage.get("type"), kind) if part)

    @property
    def samples(self) -> int | None:
        """How many samples there were to learn from; None before the end."""
        found: int | None = self.run.summary.get("frames")
        return found

    @property
    def validation(self) -> list[dict[str, Any]]:
        """Rows of the validation: ``case``, ``metric``, ``value``, ``baselines``."""
        return self.run.summary.get("validation") or []

    def errors(self) -> dict[str, tuple[float, dict[str, float]]]:
        """Return metric -> error and errors of the rivals, means over the cases of the validation."""
        found = {}
        for metric in dict.fromkeys(row["metric"] for row in self.validation):
            rows = [row for row in self.validation if row["metric"] == metric]
            rivals = dict.fromkeys(name for row in rows for name in row["baselines"])
            means = {n: _mean([r["baselines"][n] for r in rows if n in r["baselines"]]) for n in rivals}
            found[metric] = (_mean([row["value"] for row in rows]), means)
        return found


def is_training(run: Run) -> bool:
    """Return whether a run folder is that of a training that took a step."""
    return TABLE in run.series_file.columns


def of_sweep(sweep: Sweep) -> list[Training]:
    """Return the members of a sweep that are trainings; none if it is one of runs."""
    members = [Run(sweep.folder / entry["folder"]) for entry in sweep.entries]
    return [Training(run) for run in members if is_training(run)]


@dataclass(frozen=True)
class Group:
    """Trainings that differ in their seeds only: what they are called, how many samples each has."""

    name: str
    samples: int | None
    trainings: list[Training]

    @property
    def title(self) -> str:
        """Name, number of samples and of seeds."""
        size = f"{self.samples} samples" if self.samples is not None else ""
        seeds = f"{len(self.trainings)} seeds" if len(self.trainings) > 1 else ""
        return ", ".join(part for part in (self.name, size, seeds) if part)


def groups(trainings: Sequence[Training]) -> list[Group]:
    """Return trainings by what they differ by, in order of the first of each; seeds make no difference."""
    sizes = [t.samples for t in trainings]
    told = {
        path: values
        for path, values in differences([t.run.deck for t in trainings])
        if not _aside(path) and not (_below(path, DATA) and _sizes_only(values, sizes))
    }
    found: dict[tuple[str, int | None], list[Training]] = {}
    labels: dict[str, tuple[str, str]] = {}
    for i, training in enumerate(trainings):
        key = repr([values[i] for values in told.values()])
        label = ", ".join(f"{words(_last(path))} {_brief(values[i])}" for path, values in told.items())
        labels.setdefault(key, (label, training.run.name))
        found.setdefault((key, sizes[i]), []).append(training)
    # where much differs, the names of folders say more
    long = any(len(label) > LONG for label, _ in labels.values())
    return [Group(labels[key][long], size, members) for (key, size), members in found.items()]


def judged_alike(trainings: Sequence[Training]) -> bool:
    """Return whether all trainings were validated on the same data."""
    decks = [t.run.deck for t in trainings if t.validation]
    return not any(_below(path, VALIDATION) for path, _ in differences(decks))


def differences(values: Sequence[Any], path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield path and values where plain data differ; lists of other lengths are one value, as other types."""
    first: Any = values[0] if values else None
    if all(value == first for value in values):
        return
    if all(isinstance(value, dict) and value.get("type") == first.get("type") for value in values):
        for key in dict.fromkeys(key for value in values for key in value):
            yield from differences([v.get(key) for v in values], f"{path}.{key}".lstrip("."))
    elif all(isinstance(value, list) and len(value) == len(first) for value in values):
        for n in range(len(first)):
            yield from differences([value[n] for value in values], f"{path}[{n}]")
    else:
        yield path, list(values)


def case_words(case: Mapping[str, Any]) -> str:
    """Return the case of a validation in words."""
    return ", ".join(f"{words(k)} {number(v)}" for k, v in case.items())


def ratio(value: float, rivals: Collection[float]) -> float:
    """Return an error over that of the best rival; infinite where that cannot be told, NaN without rivals."""
    if not rivals:
        return float("nan")
    best = min(rivals)
    return value / best if np.isfinite(value) and best > 0 else float("inf")


def _sizes_only(values: Sequence[Any], sizes: Sequence[int | None]) -> bool:
    """Return whether a value of the data says how many samples there are, and nothing more."""
    pairs = {(repr(value), size) for value, size in zip(values, sizes, strict=True)}
    return len(pairs) == len({value for value, _ in pairs}) == len({size for _, size in pairs})


def _aside(path: str) -> bool:
    return _last(path) == SEED or any(_below(path, top) for top in (*ASIDE, VALIDATION))


def _below(path: str, top: str) -> bool:
    return path == top or path.startswith((f"{top}.", f"{top}["))


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _brief(value: Any) -> str:
    """Return a value as a legend has it: of a file its name, of a block its type."""
    if isinstance(value, dict):
        return str(value.get("type") or f"of {len(value)} entries")
    if isinstance(value, list):
        return f"of {len(value)} entries"
    return Path(value).name if isinstance(value, str) else number(value)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
