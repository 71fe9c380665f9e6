"""Panels over one axis and the lines in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from plexus_post.pictures.style import pyplot
from plexus_post.units import label, scale, words

FLAT = 1e-9
"""Relative range below which values count as constant: what is left of rounding."""
FEW = 40
"""Up to this many rows, every one gets a mark."""


def panels(count: int, columns: int = 1) -> tuple[Any, list[Any]]:
    """Return a figure and its panels over one axis, one above the other, or row by row in columns."""
    rows = -(-count // columns)
    how: dict[str, Any] = {"sharex": True, "squeeze": False, "layout": "constrained"}
    size = (7.0 if columns == 1 else 5.0 * columns, 1.1 + 2.3 * rows)
    figure, grid = pyplot().subplots(rows, columns, figsize=size, **how)
    for axes in grid.flat[count:]:
        axes.set_axis_off()
    return figure, list(grid.flat[:count])


def lines(axes: Any, x: np.ndarray, columns: Mapping[str, np.ndarray], units: Mapping[str, str]) -> None:
    """Draw columns of one unit, scaled to convenient numbers."""
    names = list(columns)
    factor, symbol = scale(units.get(names[0], ""), np.concatenate(list(columns.values())))
    for name, values in columns.items():
        axes.plot(x, values * factor, marker="o" if len(x) <= FEW else None, label=words(name))
    level(axes, np.concatenate(list(columns.values())) * factor)
    axes.set_ylabel(label(names[0], symbol) if len(names) == 1 else f"[{symbol}]" if symbol else "")
    if len(names) > 1:
        axes.legend(frameon=True, framealpha=0.8, edgecolor="none")


def level(axes: Any, values: np.ndarray, flat: float = FLAT) -> None:
    """Draw values as a line in the middle where their range is below ``flat`` times their size."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if not high - low > flat * max(abs(low), abs(high), 1e-300):
        pad = 0.05 * max(abs(low), abs(high)) or 1.0
        axes.set_ylim(low - pad, high + pad)


def time_bar(axes: Any, last: float, text: str) -> None:
    """Add the colour bar that tells a line's time."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    bar = axes.figure.colorbar(ScalarMappable(Normalize(0, last), "viridis"), ax=axes, pad=0.02)
    bar.set_label(label(text, "s"))
    bar.outline.set_linewidth(0.5)


def spread(count: int, most: int) -> np.ndarray:
    """Return up to ``most`` numbers from 0 to ``count`` - 1, evenly spread; the last one is always there."""
    first = 0 if most > 1 else count - 1
    return np.unique(np.linspace(first, count - 1, min(most, count)).round().astype(int))


def shade(i: int, count: int) -> Any:
    """Return the colour of the ``i``-th of some moments, the style's own where there is one."""
    from matplotlib import colormaps

    return colormaps["viridis"](0.9 * i / (count - 1)) if count > 1 else None
