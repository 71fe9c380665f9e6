"""Panels of an active nematic: order, vorticity or speed in bands, director as rods, defects as signs.

A drop stands for a +1/2 defect, its tip along the defect's tail; a triangle for -1/2, its corners
along the three arms. Both are drawn to the scale of the box and again where they reach over a side.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from plexus_post.errors import PostError
from plexus_post.nematics import spectrum
from plexus_post.nematics.defects import Defects
from plexus_post.nematics.names import VELOCITY, VORTICITY
from plexus_post.nematics.nematic import Nematic
from plexus_post.pictures.style import LINE
from plexus_post.units import label, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RODS = 32
"""About this many rods along the longer side of a picture; films have fewer."""
SIGN = 0.018
"""Radius of a defect's sign, relative to the longer side."""
PLUS, MINUS = "#FFD23F", "#FFFFFF"
"""Fill of the signs; their dark edge makes them readable on any field and in print."""


@dataclass(frozen=True)
class Shade:
    """How a scalar field is coloured: the same for all panels that are compared.

    Attributes
    ----------
    field : ``order``, ``vorticity`` or ``speed``; text : label of the colour bar.
    map : colour map; levels : limits of the bands; extend : which end is clipped.
    """

    field: str
    text: str
    map: str
    levels: np.ndarray
    extend: Any

    @property
    def colours(self) -> list[str]:
        """Colours of the bands."""
        from matplotlib import colormaps
        from matplotlib.colors import to_hex

        ends = {"neither": 0, "min": 1, "max": 1, "both": 2}[self.extend]
        # contours are coloured in equal steps from end to end of the map
        return [to_hex(c) for c in colormaps[self.map](np.linspace(0, 1, len(self.levels) - 1 + ends))]

    @classmethod
    def of(cls, field: str, runs: list[Nematic], steps: list[int], bands: int = 16) -> Shade:
        """Choose bands that serve all runs at the given steps.

        Raises
        ------
        PostError
            If the field is not one that can be shaded.
        """
        if field == "order" and not all(n.oriented for n in runs):
            raise PostError("the order can be shaded where all runs have a director")
        if field == "order":
            return cls(field, "order r", "Blues_r", np.linspace(0, 1, 21), "neither")
        if field not in ("vorticity", "speed"):
            raise PostError(f"no field {field!r} to shade; order, vorticity and speed are known")
        values = np.abs([scalar(n, field, min(s, len(n.box.times) - 1)) for n in runs for s in steps])
        # the few strongest spots may be clipped
        finite = values[np.isfinite(values)]
        peak = (float(np.quantile(finite, 0.998)) if finite.size else 0.0) or 1.0
        low = -peak if field == "vorticity" else 0.0
        levels = np.asarray(MaxNLocator(bands, steps=[1, 2, 2.5, 5, 10]).tick_values(low, peak))
        known = runs[0].box.run
        unit = short(known.unit(VORTICITY if known.fields.get(field) else VELOCITY))
        if field == "vorticity":
            return cls(field, label("vorticity", unit), "RdBu_r", levels, "both")
        return cls(field, label("speed", unit), "viridis", levels, "max")


def scalar(nematic: Nematic, field: str, step: int) -> np.ndarray:
    """Return a scalar field (nx, ny) by its name."""
    read = {"order": nematic.order, "vorticity": nematic.vorticity, "speed": nematic.speed}
    return np.asarray(read[field](step))


def panel(axes: Axes, nematic: Nematic, step: int, shade: Shade, count: int = RODS) -> Any:
    """Draw one moment of a run with ``count`` rods a side; return the filled bands for a colour bar."""
    box = nematic.box
    fill = _bands(axes, nematic, step, shade)
    if nematic.oriented:
        rods(axes, nematic.tensor(step), box.lengths, count)
        signs(axes, nematic.defects(step), box.lengths)
    axes.set_aspect("equal")
    axes.grid(False)
    axes.set_xlim(0, box.lengths[0])
    axes.set_ylim(0, box.lengths[1])
    for side in axes.spines.values():
        side.set_visible(True)
    return fill


def _bands(axes: Axes, nematic: Nematic, step: int, shade: Shade) -> Any:
    """Fill bands between the levels; a coarse field is first drawn finer by its own waves."""
    box = nematic.box
    fine = tuple(n * max(1, 128 // n) for n in box.cells)
    if shade.field == "order":
        values = np.abs(spectrum.resample(nematic.tensor(step), (fine[0], fine[1])))
    else:
        values = spectrum.resample(scalar(nematic, shade.field, step), (fine[0], fine[1]))
    values = np.clip(values, *((0, 1) if shade.field == "order" else (-np.inf, np.inf)))
    # the closing column and row repeat the first ones
    x, y = (np.linspace(0, length, n + 1) for length, n in zip(box.lengths, values.shape, strict=True))
    closed = np.pad(values, (0, 1), mode="wrap").T
    return axes.contourf(x, y, closed, shade.levels, cmap=shade.map, extend=shade.extend)


def rods(axes: Axes, q: np.ndarray, lengths: np.ndarray, count: int = RODS) -> None:
    """Draw the director as rods whose length is the order."""
    every = max(1, round(max(q.shape) / count))
    x, y = (np.arange(n)[every // 2 :: every] * h / n for n, h in zip(q.shape, lengths, strict=True))
    some = q[every // 2 :: every, every // 2 :: every]
    size, angle = np.minimum(np.abs(some), 1), 0.5 * np.angle(some)
    gap = every * float(np.max(lengths / np.array(q.shape)))
    shape: dict[str, Any] = {"headwidth": 0, "headlength": 0, "headaxislength": 0, "width": 0.1 * gap}
    place: dict[str, Any] = {"pivot": "mid", "angles": "xy", "scale_units": "xy", "units": "xy"}
    vector = [(size * part(angle)).T for part in (np.cos, np.sin)]
    axes.quiver(x, y, *vector, **shape, **place, scale=1 / (0.85 * gap), color=LINE, alpha=0.85)


def signs(axes: Axes, defects: Defects, lengths: np.ndarray) -> None:
    """Draw the defects."""
    from matplotlib.collections import PolyCollection

    radius = SIGN * float(np.max(lengths))
    for charge, outline, colour in ((0.5, _drop(), PLUS), (-0.5, _triangle(), MINUS)):
        rows = defects.charge == charge
        place, angle = defects.place[rows], defects.angle[rows]
        turn = np.stack([np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)], -1).reshape(-1, 2, 2)
        shapes = place[:, None] + radius * np.einsum("pa,nac->npc", outline, turn)
        moves = [np.array(m) * lengths for m in product((-1, 0, 1), repeat=2)]
        every = np.concatenate([shapes + m for m in moves])
        # copies in the neighbouring boxes matter only where they reach into this one
        seen = (every.max(axis=1) > 0).all(axis=1) & (every.min(axis=1) < lengths).all(axis=1)
        axes.add_collection(
            PolyCollection(list(every[seen]), facecolors=colour, edgecolors=LINE, linewidths=0.8, zorder=4)
        )


def _drop() -> np.ndarray:
    """Return the outline (p, 2) of a drop of radius 1 whose tip points along x."""
    # from the tip at 2 the flanks touch the circle at ±60 degrees
    arc = np.linspace(np.pi / 3, 2 * np.pi - np.pi / 3, 24)
    return np.concatenate([[[2.2, 0.0]], np.stack([np.cos(arc), np.sin(arc)], axis=1)])


def _triangle() -> np.ndarray:
    """Return the outline (3, 2) of a triangle of radius 1.5 with a corner along x."""
    corners = 2 * np.pi / 3 * np.arange(3)
    return 1.5 * np.stack([np.cos(corners), np.sin(corners)], axis=1)


def colour_bar(axes: Axes, fill: Any, shade: Shade) -> Any:
    """Add a colour bar as high as the axes at their right side and return it."""
    return shared_bar(axes.figure, fill, shade, cax=axes.inset_axes((1.025, 0, 0.035, 1)))


def shared_bar(figure: Any, fill: Any, shade: Shade, **place: Any) -> Any:
    """Add a colour bar at a place that matplotlib's ``colorbar`` understands and return it."""
    bar = figure.colorbar(fill, **place)
    if shade.field == "order":
        bar.set_ticks([0, 0.2, 0.4, 0.6, 0.8, 1])
    bar.set_label(shade.text)
    bar.outline.set_linewidth(0.5)
    return bar


def spectrum_axes(axes: Axes, last: int, top: float) -> None:
    """Set the axes of spectra whose largest value is ``top`` and whose last resolved shell is ``last``."""
    top = top if 0 < top < np.inf else 1.0
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.93, 1.05 * last)
    # what lies further below the peak is rounding
    axes.set_ylim(1e-8 * top, 3 * top)
    ticks = [n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500) if n <= last]
    axes.set_xticks(ticks, [str(n) for n in ticks])
    axes.minorticks_off()
    axes.set_xlabel("wave number k L / 2π")


def resolved(shells: np.ndarray) -> int:
    """Return the last shell that dealiasing by the two-thirds rule leaves."""
    return max(2, int(2 * shells[-1] / 3))


def legend_entries() -> list[Any]:
    """Return what a legend shows for the two signs."""
    from matplotlib.lines import Line2D

    how: dict[str, Any] = {"linestyle": "none", "markeredgecolor": LINE, "markeredgewidth": 0.8}
    return [
        Line2D([], [], marker="o", markersize=6, markerfacecolor=PLUS, label="+1/2", **how),
        Line2D([], [], marker="^", markersize=6.5, markerfacecolor=MINUS, label="−1/2", **how),
    ]
