"""The picture of `plexus bench closure`: horizon against cost, one panel for each grid, with its front."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexus.bench.closure import LEARNED, front
from plexus.bench.closure_steps import END

if TYPE_CHECKING:
    from plexus.bench.closure import Figure

SIDES = {
    "quadratic": (7, -12), "Bingham": (7, -4), "two-moment AR": (-7, 5), "three-moment AR": (7, -12),
    "learned, 2 moments": (-7, 7), "kinetic, 126 angles": (-7, -14),
}  # fmt: skip
"""Where labels stand off their points, in points of print; to the right and above if not said."""


def plot(found: Mapping[str, Figure], path: Path) -> None:
    """Draw all models; nothing without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Canvas
    except ImportError:
        return
    grids = list(next(iter(found.values())).cost)
    canvas = Canvas(figsize=(6 * len(grids), 5), layout="constrained")
    FigureCanvasAgg(canvas)
    for axes, cells in zip(canvas.subplots(1, len(grids), sharey=True, squeeze=False)[0], grids, strict=True):
        _panel(axes, found, cells)
        axes.label_outer()
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.savefig(path, dpi=130)


def _panel(axes: Any, found: Mapping[str, Figure], cells: int) -> None:
    cost = {name: 1e3 * f.cost[cells] for name, f in found.items()}
    reach = {name: f.horizon for name, f in found.items()}
    line = front(cost, reach)
    axes.plot([cost[n] for n in line], [reach[n] for n in line], color="0.75", zorder=1)
    for name, f in found.items():
        exact = name.startswith(("hierarchy", "kinetic"))
        color = "tab:red" if name in LEARNED else "tab:gray" if exact else "tab:blue"
        axes.scatter(cost[name], reach[name], s=70 if name in LEARNED else 40, color=color, zorder=2)
        side = SIDES.get(name, (7, 5))
        axes.annotate(
            f"{name} ({f.step:g})", (cost[name], reach[name]), xytext=side, textcoords="offset points",
            ha="right" if side[0] < 0 else "left", fontsize=8.5,
        )  # fmt: skip
    axes.margins(x=0.22)
    axes.set(
        xscale="log", xlabel=f"processor time per unit of simulated time [ms], {cells}², one thread",
        ylabel="time until the velocity is 30 % off (in brackets: time step)", ylim=(0, END * 1.08),
    )  # fmt: skip
    axes.grid(alpha=0.3)
