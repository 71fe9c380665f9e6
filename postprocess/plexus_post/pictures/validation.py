"""Pictures of a validation: errors of what was trained beside those of its classical rivals, case by case."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.pictures.style import FAILED, pyplot, save
from plexus_post.readers.run import Run
from plexus_post.readers.training import case_words, ratio
from plexus_post.units import words

MOST = 40
"""More cases than this are not drawn: those with the worst ratios are."""
NAME = "validation.png"
Row = dict[str, Any]


def validation(run: Run, folder: Path) -> list[Path]:
    """Draw the validation in a run's summary; return the file, none where there is no validation."""
    rows = run.summary.get("validation") or []
    if not rows:
        return []
    shown = sorted(sorted(rows, key=lambda r: -np.nan_to_num(_ratio(r)))[:MOST], key=rows.index)
    metrics = list(dict.fromkeys(row["metric"] for row in shown))
    parts = [[row for row in shown if row["metric"] == metric] for metric in metrics]
    heights = [len(part) + 1 for part in parts]
    figure, panels = pyplot().subplots(
        len(parts), 1, figsize=(7.0, 1.0 + 0.3 * sum(heights)), height_ratios=heights, squeeze=False,
        layout="constrained", sharex=True,
    )  # fmt: skip
    rivals = list(dict.fromkeys(name for row in shown for name in row["baselines"]))
    for axes, metric, part in zip(panels[:, 0], metrics, parts, strict=True):
        _panel(axes, metric, part, rivals)
    values = [v for row in shown for v in (row["value"], *row["baselines"].values())]
    if min((v for v in values if np.isfinite(v)), default=0) > 0:
        panels[-1, 0].set_xscale("log")
    panels[-1, 0].set_xlabel("error (right: trained, and its ratio to the best rival)")
    handles, names = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=len(names))
    left = f", the {MOST} worst of {len(rows)}" if len(rows) > MOST else ""
    figure.suptitle(f"Validation{left}", x=0.01, ha="left", fontweight="bold", fontsize=11.5)
    return [save(figure, folder / NAME)]


def _panel(axes: Any, metric: str, rows: list[Row], rivals: list[str]) -> None:
    """Draw the cases of one metric, one below the other, with the figures at the right."""
    places = np.arange(len(rows))
    for row, y in zip(rows, places, strict=True):
        ends = [row["value"], *row["baselines"].values()]
        axes.plot([min(ends), max(ends)], [y, y], color="#cccccc", lw=2, zorder=1)
        text = f"{row['value']:.3g}" + (f"  × {_ratio(row):.3g}" if row["baselines"] else "")
        lost = _ratio(row) >= 1
        how = {"color": FAILED if lost else "#333333", "va": "center", "fontsize": 8.5}
        axes.text(1.015, y, text, transform=axes.get_yaxis_transform(), **how)
    axes.plot([row["value"] for row in rows], places, "o", ms=7, color="C0", label="trained", zorder=3)
    for i, name in enumerate(rivals):
        values = [row["baselines"].get(name, np.nan) for row in rows]
        # a stroke is seen on either side of a dot at the same place
        axes.plot(values, places, "|", ms=13, mew=2, color=f"C{1 + i % 7}", label=words(name), zorder=2)
    axes.set_yticks(places, [case_words(row["case"]) for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_title(metric, fontsize=9.5)


def _ratio(row: Row) -> float:
    return ratio(row["value"], row["baselines"].values())
