"""Pictures of quantities over time, one panel per unit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from plexus_post.pictures.panels import lines, panels
from plexus_post.pictures.style import save
from plexus_post.units import label, short, words

if TYPE_CHECKING:
    import pandas

MANY = 5
"""More panels than this stand in two columns."""


def draw(name: str, table: pandas.DataFrame, columns: list[str], path: Path) -> Path:
    """Draw columns over time, one panel per unit; residuals share one with a log axis."""
    units = table.attrs.get("units", {})
    groups: dict[str, list[str]] = {}
    for column in columns:
        # without a unit, only residuals are known to be comparable
        shared = "residual" if "residual" in column else column
        groups.setdefault(units.get(column) or shared, []).append(column)
    columns_of_panels = 1 if len(groups) <= MANY else 2
    figure, rows = panels(len(groups), columns_of_panels)
    for axes, (group, members) in zip(rows, groups.items(), strict=True):
        lines(axes, table.index.to_numpy(dtype=float), {c: table[c].to_numpy(float) for c in members}, units)
        if group == "residual":
            axes.set_yscale("log")
    axis = str(table.index.name or "row")
    for axes in rows[-columns_of_panels:]:
        axes.set_xlabel(label(axis, short(units.get(axis) or ("s" if axis == "time" else ""))))
        axes.tick_params(labelbottom=True)
    title = words(" of ".join(dict.fromkeys(name.split("/"))))
    rows[0].set_title(title[:1].upper() + title[1:])
    return save(figure, path)
