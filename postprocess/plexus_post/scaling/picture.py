"""The picture of a scaling study: time and efficiency over ranks, measured and carried on by the model."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.pictures.style import pyplot, save
from plexus_post.scaling.study import Series, Study, formula, predicted, quality

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GREY = "#8a8a8a"
SHOWN = 4
"""Series drawn per kind; more cannot be told apart."""


def draw(study: Study, path: Path, far: int) -> Path:
    """Write the picture and return its path."""
    rows = [(kind, _chosen(study, kind)) for kind in ("strong", "weak")]
    figure, panels = pyplot().subplots(2, 2, figsize=(11, 9.6), sharex=True)
    for (kind, series), (left, right) in zip(rows, panels, strict=True):
        measured = bool(series)
        size = (
            max(p.unknowns for p in study.points) if kind == "strong" else max(p.load for p in study.points)
        )
        for i, one in enumerate(series or [Series(kind, size, ())]):
            _time(left, study, one, f"C{i}", far)
            _efficiency(right, study, one, f"C{i}", far)
        _dress(left, right, kind, measured)
    _legend(panels[0][0], study)
    figure.suptitle(
        "Scaling: measured, and carried on by a model", x=0.015, ha="left", weight="bold", size=13
    )
    figure.tight_layout(rect=(0, 0.115, 1, 0.985))
    figure.text(0.02, 0.012, _words(study), size=8.2, color="#333333", va="bottom", linespacing=1.35)
    return save(figure, path)


def _chosen(study: Study, kind: str) -> list[Series]:
    """Return the series with the most points, the larger sizes first."""
    every = [s for s in study.series if s.kind == kind]
    return sorted(every, key=lambda s: (-len(s.points), -s.size))[:SHOWN]


def _time(axes: Axes, study: Study, one: Series, colour: str, far: int) -> None:
    """Draw times: marks where measured, the model as a line that is dashed beyond the measurements."""
    curve = predicted(study, one.kind, one.size, far)
    ranks, seconds = np.array(curve["ranks"]), np.array(curve["seconds"])
    if "least" in curve:
        low, high = np.array(curve["least"]), np.array(curve["greatest"])
        axes.fill_between(ranks, low, high, color=colour, alpha=0.13, lw=0)
    _carried_on(axes, study, ranks, seconds, colour)
    if one.kind == "strong" and one.points:
        first = one.points[0]
        axes.plot(ranks, first.seconds * first.ranks / ranks, color=GREY, lw=0.8, ls=":")
    _marks(axes, one, [p.seconds for p in one.points], colour, _name(one))


def _efficiency(axes: Axes, study: Study, one: Series, colour: str, far: int) -> None:
    """Draw efficiencies against the fewest ranks."""
    curve = predicted(study, one.kind, one.size, far)
    ranks, seconds = np.array(curve["ranks"]), np.array(curve["seconds"])
    base = one.points[0].ranks if one.points else 1
    first = float(np.interp(base, ranks, seconds))
    gain = first * base / (seconds * ranks) if one.kind == "strong" else first / seconds
    _carried_on(axes, study, ranks, gain, colour)
    _marks(axes, one, one.efficiency() if one.points else [], colour, "")


def _carried_on(axes: Axes, study: Study, ranks: np.ndarray, values: np.ndarray, colour: str) -> None:
    """Draw a line that is solid where there are measurements and dashed beyond."""
    last = max((p.ranks for p in study.points if not p.crowded), default=1)
    inside = ranks <= last
    axes.plot(ranks[inside], values[inside], color=colour)
    beyond = ~inside
    beyond[max(int(inside.sum()) - 1, 0)] = True
    axes.plot(ranks[beyond], values[beyond], color=colour, ls="--", lw=1.2)


def _marks(axes: Axes, one: Series, values: list[float], colour: str, name: str) -> None:
    """Draw measured points: filled, or hollow where ranks share cores."""
    for p, value in zip(one.points, values, strict=True):
        axes.plot(p.ranks, value, "o", ms=6.5, color=colour, mfc="white" if p.crowded else colour, mew=1.4)
    if name:
        axes.plot([], [], "o-", color=colour, label=name)


def _name(one: Series) -> str:
    text = f"{one.size:,.0f} unknowns" + (" per rank" if one.kind == "weak" else "")
    return text if one.points else text + " (model only)"


def _dress(left: Axes, right: Axes, kind: str, measured: bool) -> None:
    """Set axes, titles and legends of one row."""
    left.set_xscale("log")
    left.set_yscale("log")
    left.set_ylabel("work [s]")
    right.set_ylim(0, 1.15)
    right.set_ylabel("efficiency")
    right.axhline(1.0, color=GREY, lw=0.8, ls=":")
    for axes in (left, right):
        axes.xaxis.set_major_formatter(lambda p, _: f"{p:,.0f}" if p >= 1 else "")
        axes.set_xlabel("ranks")
        axes.tick_params(labelbottom=True)
    note = "" if measured else "\n(not measured: the model only)"
    what = "one problem on more ranks" if kind == "strong" else "a problem that grows with the ranks"
    left.set_title(f"{kind.capitalize()} scaling: {what}{note}", size=10.5)
    right.set_title(f"Efficiency, {kind}", size=10.5)
    left.legend(loc="lower left" if kind == "strong" else "best")


def _legend(axes: Axes, study: Study) -> None:
    """Explain marks and lines once."""
    from matplotlib.lines import Line2D

    how: dict[str, Any] = {"color": "#444444", "lw": 0, "marker": "o", "ms": 6}
    entries = [*axes.get_legend_handles_labels()[0], Line2D([], [], label="measured", **how)]
    if any(p.crowded for p in study.points):
        entries.append(Line2D([], [], mfc="white", label="more ranks than cores (not fitted)", **how))
    entries.append(Line2D([], [], color="#444444", label="model"))
    entries.append(Line2D([], [], color="#444444", ls="--", label="model, beyond the measurements"))
    if len(study.model.spread):
        entries.append(Line2D([], [], color="#bbbbbb", lw=6, label="… with one point left out"))
    entries.append(Line2D([], [], color=GREY, ls=":", lw=0.8, label="ideal"))
    axes.legend(handles=entries, loc="lower left", ncols=1)


def _words(study: Study) -> str:
    """Return model, residual, assumptions and notes for below the panels."""
    model = study.model
    a, b, c = (f"{x:.3g}" for x in model.coefficients)
    head = f"Model: {formula(model)} with a = {a} s, b = {b} s, c = {c} s; {quality(model)}."
    blocks = [head, "Assumes: " + " ".join(model.assumptions())]
    if study.notes:
        blocks.append("Notes: " + "; ".join(study.notes) + ".")
    return "\n".join(fill(text, 170) for text in blocks)
