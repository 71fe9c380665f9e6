"""Colours of one field: map, bands, colour bar; and the headline above a picture."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.ticker import MaxNLocator

from plexus_post.pictures.panels import FLAT
from plexus_post.pictures.view import View
from plexus_post.units import label, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MANY = 200
"""Whole numbers that get a colour each; a field with more is drawn like any other."""


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
        if values.dtype.kind in "iub" and int(values.max()) - int(values.min()) < MANY:
            # bands centred on the whole numbers
            levels = np.arange(int(values.min()), int(values.max()) + 2) - 0.5
            return cls("tab10" if len(levels) <= 11 else "viridis", levels, "neither")
        low, high, extend = _range(values)
        # a little overshoot below zero does not make a field signed
        diverging = low < 0 < high and min(-low, high) > 0.15 * max(-low, high)
        if diverging:
            high = max(-low, high)
            low = -high
        ticks = np.asarray(MaxNLocator(nbins=18, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
        # the pointed ends of the colour bar stand for what lies beyond the outer levels
        inner = ticks[1:-1] if extend == "both" else ticks
        thermal = unit in ("K", "degC", "°C")
        return cls("RdBu_r" if diverging else "plasma" if thermal else "viridis", inner, extend)

    @property
    def lines(self) -> list[str]:
        """Colours of the lines between the bands: light on dark bands, dark on light ones."""
        from matplotlib import colormaps

        # perceived brightness of red, green and blue
        shade = colormaps[self.map](np.linspace(0, 1, len(self.levels)))[:, :3] @ [0.3, 0.59, 0.11]
        return ["#ffffff" if dark else "#000000" for dark in shade < 0.45]


def _range(values: np.ndarray) -> tuple[float, float, Any]:
    """Return lower and upper end of the colours and matplotlib's word for clipped ends."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0, "neither"
    low, high = float(finite.min()), float(finite.max())
    # a constant field still needs a band to lie in
    if high - low <= FLAT * max(abs(low), abs(high), 1e-300):
        pad = 0.05 * abs(high) or 1.0
        return low - pad, high + pad, "neither"
    inner_low, inner_high = (float(v) for v in np.quantile(finite, [0.002, 0.998]))
    # cut only where the outliers would take a third of the range
    cut_low, cut_high = (inner_low - low) > 0.3 * (high - low), (high - inner_high) > 0.3 * (high - low)
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}
    return inner_low if cut_low else low, inner_high if cut_high else high, extend[cut_low, cut_high]


def headline(axes: Axes, view: View) -> None:
    """Write what the field is, below it the run's title, the time and the note."""
    # an empty second line keeps panels of one row aligned
    below = " · ".join(t for t in (view.title, view.when, view.note) if t) or "\N{NO-BREAK SPACE}"
    name = view.about or words(view.what)
    axes.set_title(name[:1].upper() + name[1:], pad=20, loc="left")
    at: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(below, (0, 1), (0, 7), fontsize=8.5, color="#555555", **at)


def colour_bar(axes: Axes, drawn: Any, view: View, colours: Colours, horizontal: bool = False) -> None:
    """Add the colour bar with its unit and the smallest and largest value."""
    bar = axes.figure.colorbar(drawn, **_bar_place(axes, horizontal))
    first, last = colours.levels[0], colours.levels[-1]
    whole = view.values.dtype.kind in "iub" and last - first <= MANY
    ticks = np.asarray(MaxNLocator(nbins=8, steps=[1, 2, 2.5, 5, 10], integer=whole).tick_values(first, last))
    slack = 1e-9 * (last - first)
    ticks = ticks[(ticks >= first - slack) & (ticks <= last + slack)]
    power = 0 if view.log or whole else _power(ticks)
    labels = [f"{10**t:.3g}" if view.log else f"{round(t / 10.0**power, 9) + 0.0:g}" for t in ticks]
    bar.set_ticks(ticks, labels=labels)
    bar.minorticks_off()
    bar.outline.set_linewidth(0.5)
    low, high = np.nanmin(view.values), np.nanmax(view.values)
    low, high = (10**low, 10**high) if view.log else (low, high)
    gap = ", " if horizontal else "\n"
    told = f"\n{fill(view.peak, 90 if horizontal else 48)}" if view.peak else ""
    # with the unit: above the bar there is a headline
    what = label(view.what, f"1e{power} {view.unit}".strip()) if power else view.label
    bar.set_label(f"{what}{gap}from {span(low, high)}{told}", fontsize=9)


def _power(ticks: np.ndarray) -> int:
    """Return the power of ten that numbers beside a bar leave out; 0 where they are short without."""
    peak = float(np.abs(ticks).max(initial=0.0))
    power = int(np.floor(np.log10(peak))) if peak > 0 else 0
    return power if not -3 <= power < 4 else 0


def span(low: float, high: float) -> str:
    """Return ``low to high`` with the digits that five-digit accuracy of the larger one leaves."""
    peak = max(abs(low), abs(high))
    if not 1e-3 < peak < 1e5:
        return f"{low:.5g} to {high:.5g}"
    digits = 5 - int(np.ceil(np.log10(peak)))
    return " to ".join(
        f"{v:.{digits}f}".rstrip("0").rstrip(".") if digits > 0 else f"{v:.0f}" for v in (low, high)
    )


def _bar_place(axes: Axes, horizontal: bool) -> dict[str, Any]:
    """Return where the colour bar goes: beside or below plane axes at a fixed distance in inches."""
    from mpl_toolkits.axes_grid1 import make_axes_locatable

    # the divider knows plane axes only
    if axes.name == "3d":
        return {"ax": axes, "fraction": 0.035, "pad": 0.1}
    side, gap = ("bottom", 0.58) if horizontal else ("right", 0.14)
    place = make_axes_locatable(axes).append_axes(side, size=0.17, pad=gap)
    return {"cax": place, "orientation": "horizontal" if horizontal else "vertical"}
