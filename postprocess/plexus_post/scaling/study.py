"""Strong and weak scaling of finished runs, and what a model makes of them.

Runs of equal size on different ranks are a strong series, runs of equal size per rank a weak one. Points on
more ranks than cores are marked and kept out of the fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plexus.fileformat import SUMMARY
from plexus_post.errors import PostError
from plexus_post.readers.run import Run
from plexus_post.scaling.model import TERMS, Model, fit
from plexus_post.text import number

ALIKE = 0.12
"""Sizes per rank that differ by less make one weak series."""
BUSY = 0.05
"""Above this share of waiting for a core, a measurement tells more of other programs than of the run."""
OUTSIDE = ("start-up", "other", "log view")
"""Phases that are no part of the work that is modelled."""


@dataclass(frozen=True)
class Point:
    """One finished run.

    Attributes
    ----------
    seconds : mean over ranks of the phases that are work; wall : the whole run [s].
    crowded : more ranks than cores on some host; None if the run does not tell.
    waited : share of the whole time in which a rank was ready but had no core.
    """

    name: str
    ranks: int
    unknowns: int
    dim: int
    steps: int
    iterations: int
    seconds: float
    wall: float
    crowded: bool | None
    waited: float = 0.0

    @property
    def load(self) -> float:
        """Unknowns per rank."""
        return self.unknowns / self.ranks


@dataclass(frozen=True)
class Series:
    """Points of one strong or weak series, in order of ranks; ``size`` is unknowns or unknowns per rank."""

    kind: str
    size: float
    points: tuple[Point, ...]

    def efficiency(self) -> list[float]:
        """Return the efficiency of each point against the one on the fewest ranks."""
        first = self.points[0]
        if self.kind == "strong":
            return [first.seconds * first.ranks / (p.seconds * p.ranks) for p in self.points]
        # loads that differ a little are put on one scale
        return [first.seconds / p.seconds * p.load / first.load for p in self.points]


@dataclass(frozen=True)
class Study:
    """All points, their series, the model, and what a reader must know."""

    points: list[Point]
    series: list[Series]
    model: Model
    notes: list[str]


def analyse(paths: Sequence[Path]) -> Study:
    """Return the study of the runs below ``paths``."""
    found = [run for path in paths for run in runs(path)]
    done = [(r, r.summary) for r in found if r.summary.get("status") in ("done", "degraded")]
    points = [p for run, facts in done if (p := _point(run, facts))]
    points.sort(key=lambda p: (p.unknowns, p.ranks))
    if len({p.ranks for p in points}) < 2:
        count = f"{len(points)} run{'s' * (len(points) != 1)}"
        raise PostError(f"scaling needs finished runs on at least two numbers of ranks; found {count}")
    left = len(found) - len(points)
    notes = [f"{left} run{'s' * (left > 1)} left out: not finished, or without times"] if left else []
    free = [p for p in points if not p.crowded]
    if any(p.crowded for p in points):
        marked = sorted({p.ranks for p in points if p.crowded})
        notes.append(f"more ranks than cores: {', '.join(map(str, marked))} ranks")
    if len({p.ranks for p in free}) < 2:
        notes.append("the fit uses points with more ranks than cores, because there are no others")
        free = points
    notes += _doubts(points)
    dim = max(p.dim for p in points)
    model = fit([p.ranks for p in free], [p.unknowns for p in free], [p.seconds for p in free], dim)
    if model.freedom < 2:
        notes.append(
            f"{model.points} points leave {model.freedom} degrees of freedom: the residual says little"
        )
    return Study(points, [*_strong(points), *_weak(points)], model, notes)


def runs(path: Path) -> list[Run]:
    """Return the runs of a run folder, of a sweep, or of a folder of sweeps."""
    if not path.is_dir():
        raise PostError(f"{path}: no such folder")
    for pattern in (SUMMARY, f"*/{SUMMARY}", f"*/*/{SUMMARY}"):
        files = [p for p in sorted(path.glob(pattern)) if "previous" not in p.relative_to(path).parts]
        if files:
            return [Run(p.parent) for p in files]
    raise PostError(f"{path}: no finished run ({SUMMARY}) in it")


def _point(run: Run, facts: dict[str, Any]) -> Point | None:
    """Return the point of a run, None if it lacks times."""
    phases = facts.get("phases") or {}
    seconds = sum(float(p["mean"]) for name, p in phases.items() if name not in OUTSIDE)
    if not seconds > 0 or not all(facts.get(key) for key in ("unknowns", "ranks", "wall_seconds")):
        return None
    placement = facts.get("placement")
    return Point(
        name=run.name,
        ranks=int(facts["ranks"]),
        unknowns=int(facts["unknowns"]),
        dim=int((facts.get("mesh") or {}).get("dim", 3)),
        steps=int(facts.get("steps") or 0),
        iterations=int(sum(s.get("total") or 0 for s in (facts.get("solver") or {}).values())),
        seconds=seconds,
        wall=float(facts["wall_seconds"]),
        crowded=any(row.get("crowded") for row in placement) if placement else None,
        waited=float(facts.get("core_wait_seconds") or 0.0) / float(facts["wall_seconds"]),
    )


def _doubts(points: Sequence[Point]) -> list[str]:
    """Return what makes the points hard to compare."""
    notes = []
    if any(p.crowded is None for p in points):
        notes.append("some runs do not tell their placement; they are taken to have a core per rank")
    busy = max((p.waited for p in points if not p.crowded), default=0.0)
    if busy > BUSY:
        notes.append(
            f"ranks with a core each waited for it up to {busy:.0%} of the time: "
            "other programs shared the machine, a free one would be faster"
        )
    if len({p.steps for p in points}) > 1:
        notes.append("the runs differ in their number of steps; times are those of whole runs")
    if len({p.dim for p in points}) > 1:
        notes.append("the runs differ in the dimension of their meshes")
    counts = [p.iterations / max(p.steps, 1) for p in points if p.iterations]
    if counts and max(counts) > 1.3 * min(counts):
        low, high = (number(float(c)) for c in (min(counts), max(counts)))
        notes.append(f"iterations per step vary from {low} to {high}; the model takes them as constant")
    return notes


def _best(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return the fastest point of each number of ranks: repetitions differ by what else the machine did."""
    fastest: dict[int, Point] = {}
    for p in sorted(points, key=lambda p: (p.ranks, p.seconds)):
        fastest.setdefault(p.ranks, p)
    return tuple(fastest.values())


def _strong(points: Sequence[Point]) -> list[Series]:
    return _series("strong", points, lambda p: p.unknowns, 0.0)


def _weak(points: Sequence[Point]) -> list[Series]:
    return _series("weak", points, lambda p: p.load, ALIKE)


def _series(
    kind: str, points: Sequence[Point], size: Callable[[Point], float], tolerance: float
) -> list[Series]:
    """Return the series of points whose size is alike and whose rank counts differ."""
    groups: list[list[Point]] = []
    for p in sorted(points, key=size):
        if groups and size(p) <= size(groups[-1][0]) * (1 + tolerance):
            groups[-1].append(p)
        else:
            groups.append([p])
    made = [(group, _best(group)) for group in groups]
    return [Series(kind, float(np.median([size(p) for p in b])), b) for _, b in made if len(b) > 1]


def predicted(study: Study, kind: str, size: float, far: int) -> dict[str, list[float]]:
    """Return the model's seconds and terms of a strong or weak series on 1, 2, 4, … ``far`` ranks."""
    ranks = np.unique(np.append(2.0 ** np.arange(int(np.log2(far)) + 1), far))
    unknowns = np.full_like(ranks, size) if kind == "strong" else size * ranks
    parts = study.model.terms(ranks, unknowns)
    made = {"ranks": ranks.tolist(), "seconds": parts.sum(axis=1).tolist()}
    made |= {name: parts[:, i].tolist() for i, name in enumerate(TERMS)}
    band = study.model.band(ranks, unknowns)
    if band is not None:
        made |= {"least": band[0].tolist(), "greatest": band[1].tolist()}
    return made


def content(study: Study, far: int) -> dict[str, Any]:
    """Return what ``scaling.json`` holds."""
    model = study.model
    return {
        "points": [asdict(p) for p in study.points],
        "series": [
            {
                "kind": s.kind, "size": s.size, "ranks": [p.ranks for p in s.points],
                "seconds": [p.seconds for p in s.points], "efficiency": s.efficiency(),
                "predicted": predicted(study, s.kind, s.size, far),
            }
            for s in study.series
        ],
        "model": {
            "formula": formula(model), "dim": model.dim,
            "coefficients": dict(zip("abc", model.coefficients.tolist(), strict=True)),
            "residual": model.residual, "points": model.points, "freedom": model.freedom,
            "assumptions": model.assumptions(),
        },
        "notes": study.notes,
    }  # fmt: skip


def formula(model: Model) -> str:
    """Return the model as a line of text."""
    return f"T = a N/p + b log2(p) + c (N/p)^({model.dim - 1}/{model.dim})"


def quality(model: Model) -> str:
    """Return how well the model fits, in words."""
    freedom = f"{model.freedom} degree{'s' * (model.freedom != 1)} of freedom"
    return f"relative residual {model.residual:.1%} over {model.points} points, {freedom}"
