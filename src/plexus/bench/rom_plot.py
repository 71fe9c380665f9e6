"""The picture of `plexus bench rom`: what a step costs against the size of the mesh."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from plexus.bench.rom import Size


def plot(sizes: Mapping[str, Size], path: Path) -> None:
    """Draw full model, replay and online steps; nothing without matplotlib."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return
    canvas, every = Figure(figsize=(6.4, 4.4), layout="constrained"), list(sizes.values())
    FigureCanvasAgg(canvas)
    axes = canvas.subplots()
    marched = [s for s in every if s.full]
    lines = [
        ("full model", "tab:gray", marched, [float(np.median(s.full)) for s in marched]),
        ("replay of the memory, where asked for", "tab:orange", every, [s.replay for s in every]),
        ("online, law and loop in NumPy", "tab:blue", every, [s.arrays for s in every]),
        ("online, compiled", "tab:red", every, [s.online for s in every]),
    ]
    for label, color, which, seconds in lines:
        axes.loglog([s.unknowns for s in which], [1e3 * t for t in seconds], "o-", color=color, label=label)
    axes.set(xlabel="unknowns of the full model", ylabel="CPU time per step [ms]")
    axes.grid(alpha=0.3, which="both")
    canvas.legend(loc="outside upper center", ncols=2, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    canvas.savefig(path, dpi=130)
