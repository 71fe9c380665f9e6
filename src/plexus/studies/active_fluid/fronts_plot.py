"""The picture of `plexus bench closure`: horizon against cost, one panel for each grid, with its front."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.studies.active_fluid.fronts import front, points
from plexus.studies.active_fluid.lineup import ANGLES, LEARNED

if TYPE_CHECKING:
    from plexus.studies.active_fluid.fronts import Figure

SIDES = {
    "quadratic": (-8, -3), "Bingham": (8, -4), "two-moment AR": (-8, 1), "three-moment AR": (10, -6),
    "learned, 1 moment": (9, 1), "learned, 2 moments": (-9, 1), "hierarchy, 6 moments": (8, -9),
    "hierarchy, 8 moments": (8, -16), "hierarchy, 10 moments": (-8, 3), "kinetic, 126 angles": (-2, -24),
}  # fmt: skip
"""Where labels stand off their points, in points of print; to the left of them if the first is negative."""


def plot(found: Mapping[str, Figure], path: Path) -> None:
    """Draw all models; nothing without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Canvas
    except ImportError:
        return
    grids = list(next(iter(found.values())).seconds)
    canvas = Canvas(figsize=(6 * len(grids), 5), layout="constrained")
    FigureCanvasAgg(canvas)
    for axes, cells in zip(canvas.subplots(1, len(grids), sharey=True, squeeze=False)[0], grids, strict=True):
        _panel(axes, found, cells)
        axes.label_outer()
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.savefig(path, dpi=130)


def _panel(axes: Any, found: Mapping[str, Figure], cells: int) -> None:
    cost, reach = points(found, cells)
    line = front(cost, reach)
    axes.plot([1e3 * cost[n] for n in line], [reach[n] for n in line], color="0.75", zorder=1)
    for name, f in found.items():
        exact = name.startswith(("hierarchy", "kinetic"))
        color = "tab:red" if name in LEARNED else "tab:gray" if exact else "tab:blue"
        others = [s for s in f.horizons if s != f.step]
        x, y = [1e3 * f.cost(cells, s) for s in others], [f.horizons[s] for s in others]
        axes.scatter(x, y, s=9, color=color, alpha=0.5, zorder=1)
        axes.scatter(1e3 * cost[name], reach[name], s=70 if name in LEARNED else 40, color=color, zorder=2)
        side, where = SIDES.get(name, (6, 5)), "\nfirst set only" if name == ANGLES else ""
        axes.annotate(
            f"{name}{where} ({f.step:g})", (1e3 * cost[name], reach[name]),
            xytext=side, textcoords="offset points", ha="right" if side[0] < 0 else "left", fontsize=8.5,
        )  # fmt: skip
    room = 1e3 * min(cost.values()) / 16, 1e3 * max(cost.values()) * 6
    axes.set(xscale="log", xlim=room, ylim=(0, 1.12 * max(reach.values())))
    axes.set_xlabel(f"processor time per unit of simulated time [ms], {cells}², one thread")
    axes.set_ylabel("time until the velocity is 30 % off\n(in brackets: time step; small: other steps)")
    axes.grid(alpha=0.3)
