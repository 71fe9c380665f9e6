"""The common look: style sheet, colour maps, colour ranges, nice factors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from plexus_post.errors import PostError
from plexus_post.units import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from plexus_post.plot import View

SHEET = Path(__file__).with_name("plexus.mplstyle")
LINE = "#2b2b2b"
"""Colour of outlines."""


def pyplot() -> Any:
    """Return ``matplotlib.pyplot`` with our style and a back end that needs no display."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    plt.style.use(str(SHEET))
    return plt


def save(figure: Figure, path: Path) -> Path:
    """Write and close a figure; return its path.

    Raises
    ------
    PostError
        If the file cannot be written.
    """
    from matplotlib import pyplot as plt

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except OSError as error:
        raise PostError(f"{path}: {error.strerror or error}") from None
    finally:
        plt.close(figure)
    return path


@dataclass(frozen=True)
class Colours:
    """Colour map and contour levels of one field; ``extend`` says which end is clipped."""

    map: str
    levels: np.ndarray
    extend: Literal["neither", "min", "max", "both"]

    @property
    def norm(self) -> Any:
        """Matplotlib's map from values to the bands between the levels."""
        from matplotlib.colors import BoundaryNorm

        return BoundaryNorm(self.levels, 256, extend=self.extend)

    @classmethod
    def of(cls, values: np.ndarray, unit: str) -> Colours:
        """Choose map and levels.

        A field that changes sign gets a diverging map centred at zero, a temperature a thermal one.
        Whole numbers (a rank, a region) get one colour each. When a few points (a re-entrant corner,
        a point load) would use up most of the range, it is cut to where 99.6 % of the points lie.
        """
        from matplotlib.ticker import MaxNLocator

        if values.dtype.kind in "iub":
            levels = np.arange(int(values.min()), int(values.max()) + 2) - 0.5
            return cls("tab10" if len(levels) <= 11 else "viridis", levels, "neither")
        low, high, extend = _range(values)
        diverging = low < 0 < high and min(-low, high) > 0.15 * max(-low, high)
        if diverging:
            high = max(-low, high)
            low = -high
        ticks = np.asarray(MaxNLocator(nbins=18, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
        inner = ticks[1:-1] if extend == "both" else ticks
        thermal = unit in ("K", "degC", "°C")
        return cls("RdBu_r" if diverging else "inferno" if thermal else "viridis", inner, extend)


def _range(values: np.ndarray) -> tuple[float, float, Any]:
    """Return lower and upper end of the colours and matplotlib's word for clipped ends."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0, "neither"
    low, high = float(finite.min()), float(finite.max())
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-300):
        pad = 0.05 * abs(high) or 1.0
        return low - pad, high + pad, "neither"
    inner_low, inner_high = (float(v) for v in np.quantile(finite, [0.002, 0.998]))
    cut_low, cut_high = (inner_low - low) > 0.3 * (high - low), (high - inner_high) > 0.3 * (high - low)
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    return inner_low if cut_low else low, inner_high if cut_high else high, extend[cut_low, cut_high]


def nice(value: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that does not exceed a positive value."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(power * max(f for f in (1, 2, 5) if f * power <= value * (1 + 1e-12)))


def headline(axes: Axes, view: View) -> None:
    """Write the field's name, below it the run's title and the note."""
    below = " · ".join(t for t in (view.title, view.note) if t)
    name = words(view.name)
    axes.set_title(name[:1].upper() + name[1:], pad=20)
    at: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(below, (0, 1), (0, 7), fontsize=8.5, color="#555555", **at)


def colour_bar(axes: Axes, fill: Any, view: View, colours: Colours, horizontal: bool) -> None:
    """Add the colour bar with its unit and the smallest and largest value."""
    from matplotlib.ticker import MaxNLocator

    how: dict[str, Any] = {"fraction": 0.046, "pad": 0.03}
    if horizontal:
        how = {"orientation": "horizontal", "fraction": 0.05, "pad": 0.17, "aspect": 45, "shrink": 0.9}
    bar = axes.figure.colorbar(fill, ax=axes, **how)
    first, last = colours.levels[0], colours.levels[-1]
    whole = view.values.dtype.kind in "iub"
    ticks = np.asarray(MaxNLocator(nbins=8, steps=[1, 2, 2.5, 5, 10], integer=whole).tick_values(first, last))
    slack = 1e-9 * (last - first)
    bar.set_ticks(ticks[(ticks >= first - slack) & (ticks <= last + slack)])
    bar.minorticks_off()
    bar.outline.set_linewidth(0.5)
    low, high = np.nanmin(view.values), np.nanmax(view.values)
    bar.set_label(f"{view.label}\nfrom {low:.5g} to {high:.5g}", fontsize=9)
