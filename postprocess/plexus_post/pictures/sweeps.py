"""Pictures of sweeps: quantities over one parameter, maps and lines over two, scatter over more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.errors import PostError
from plexus_post.pictures.style import FAILED, LINE, file_name, pyplot, save
from plexus_post.readers.sweep import Parameter, Sweep
from plexus_post.readers.training import SEED
from plexus_post.units import label, scale, short

MOST = 12
"""Up to this many lines or cells along an axis, each has its value written at it."""
VALIDATION, RIVAL = "validation", "rival"
"""First parts of the quantities of trainings that are compared."""
WIDE = 10.0
"""Largest over smallest value above which a log axis is taken, if it spreads the values better."""


def pictures(sweep: Sweep, folder: Path, names: Sequence[str] | None = None) -> list[Path]:
    """Draw quantities over what varies; return the files.

    Raises
    ------
    PostError
        If nothing varies, no member is done, or a name is unknown.
    """
    axes = [p for p in sweep.parameters if p.varies]
    # repeats with other seeds are spread, not a parameter, as long as anything else varies
    axes = [p for p in axes if p.path.rpartition(".")[2] != SEED] or axes
    if not axes or not sweep.good.any():
        raise PostError(
            f"{sweep.folder}: " + ("no member is done" if axes else "nothing varies in this sweep")
        )
    wanted = list(names or _told(sweep) or ["wall_seconds"])
    data = dict(_scaled(sweep, name) for name in wanted)
    if len(axes) == 1:
        return [_over_one(sweep, axes[0], data, folder / "sweep.png")]
    if len(axes) == 2 and _is_grid(axes, sweep):
        files = [folder / f"sweep_{file_name(name)}.png" for name in wanted]
        return [
            _over_two(sweep, axes, *column, file) for column, file in zip(data.items(), files, strict=True)
        ]
    return [_scatter(sweep, axes, data, folder / "sweep.png")]


def _told(sweep: Sweep) -> list[str]:
    """Return the quantities that are drawn; the errors of rivals stand beside those of the validation."""
    return [name for name in sweep.quantities if name.partition(".")[0] != RIVAL]


def _beside(axes: Any, sweep: Sweep, name: str) -> None:
    """Draw the error of the best rival, which needs no training, beside that of a validation."""
    kind, dot, metric = name.partition(".")
    rival = f"{RIVAL}{dot}{metric}"
    if kind == VALIDATION and rival in sweep.quantities:
        values = np.where(sweep.good, sweep.column(rival), np.nan)
        if np.isfinite(values).any():
            axes.axhline(np.nanmedian(values), color="#777777", ls="--", lw=1.2, label="best rival")


def _scaled(sweep: Sweep, name: str) -> tuple[str, np.ndarray]:
    """Return the label of a quantity and its values (N,) in a convenient unit, NaN for members not done."""
    values = np.where(sweep.good, sweep.column(name), np.nan)
    factor, symbol = scale(sweep.units.get(name, ""), values)
    return label(name.replace("wall_seconds", "wall time"), symbol), values * factor


def _is_grid(axes: Sequence[Parameter], sweep: Sweep) -> bool:
    """Return whether the members are all combinations of two parameters."""
    pairs = {tuple(pair) for pair in zip(*(p.values.tolist() for p in axes), strict=True)}
    return len(pairs) == np.prod([len(np.unique(p.values)) for p in axes])


def _over_one(sweep: Sweep, axis: Parameter, data: dict[str, np.ndarray], path: Path) -> Path:
    """Draw one panel per quantity over one parameter; repeats as points with their mean as the line."""
    figure, panels = _panels(len(data), 1)
    for axes, (name, values) in zip(panels[:, 0], data.items(), strict=True):
        x = _position(axes, axis)
        _line(axes, x, values, None, joined=axis.numeric)
        _beside(axes, sweep, name)
        if axes.get_legend_handles_labels()[1]:
            axes.legend()
        _failures(axes, x, sweep)
        axes.set_ylabel(name)
        if _wants_log(np.unique(values[np.isfinite(values)])):
            axes.set_yscale("log")
    panels[-1, 0].set_xlabel(label(axis.name, short(axis.unit)))
    return _titled(figure, sweep, path)


def _line(
    axes: Any, x: np.ndarray, values: np.ndarray, colour: Any, text: str = "", joined: bool = True
) -> None:
    """Draw the mean over equal x as a line, the points themselves where several share an x.

    Names have no order, so that nothing lies between them: unless ``joined`` there is no line.
    """
    good = np.isfinite(values) & np.isfinite(x)
    places = np.unique(x[good])
    mean = np.array([values[good & (x == p)].mean() for p in places])
    style = "-" if joined else "none"
    (line,) = axes.plot(places, mean, marker="o", linestyle=style, color=colour, label=text or None)
    if len(places) < good.sum():
        line.set_marker("" if joined else "_")
        axes.plot(x[good], values[good], "o", color=line.get_color(), alpha=0.45, markeredgewidth=0)


def _over_two(sweep: Sweep, both: Sequence[Parameter], name: str, values: np.ndarray, path: Path) -> Path:
    """Draw a quantity over a grid of two parameters: a map of its values, and a family of lines."""
    # numbers along x, and the longer list there: few lines with many points read best
    x, y = sorted(both, key=lambda p: (not p.numeric, -len(np.unique(p.values))))
    figure = pyplot().figure(figsize=(10.5, 4.2), layout="constrained")
    figure.get_layout_engine().set(wspace=0.05)
    left, right = figure.subplots(1, 2)
    _map(left, x, y, name, values, sweep)
    _family(right, x, y, values, sweep)
    _beside(right, sweep, name)
    place = {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
    right.legend(title=label(y.name, short(y.unit)), title_fontsize=8.5, alignment="left", **place)
    right.set_ylabel(name)
    return _titled(figure, sweep, path)


def _map(axes: Any, x: Parameter, y: Parameter, name: str, values: np.ndarray, sweep: Sweep) -> None:
    """Draw one cell per combination, the mean over repeats in it."""
    columns, at_x = _levels(x)
    rows, at_y = _levels(y)
    table = np.full((len(rows), len(columns)), np.nan)
    for i, j in np.ndindex(table.shape):
        here = values[(at_y == i) & (at_x == j) & np.isfinite(values)]
        table[i, j] = here.mean() if len(here) else np.nan
    image = axes.imshow(table, origin="lower", aspect="auto", cmap="viridis")
    axes.set_facecolor("#eeeeee")
    axes.grid(False)
    _ticks(axes.xaxis, columns)
    _ticks(axes.yaxis, rows)
    axes.set_xlabel(label(x.name, short(x.unit)))
    axes.set_ylabel(label(y.name, short(y.unit)))
    bar = axes.figure.colorbar(image, ax=axes, pad=0.02, label=name)
    bar.outline.set_linewidth(0.5)
    failed = {(i, j) for i, j, s in zip(at_y, at_x, sweep.status, strict=True) if s == "failed"}
    named = table.size <= MOST * MOST / 2
    if named:
        _write(axes, image, table)
    for i, j in failed:
        if np.isnan(table[i, j]):
            axes.text(j, i, "failed" if named else "×", ha="center", va="center", color=FAILED, fontsize=8)


def _write(axes: Any, image: Any, table: np.ndarray) -> None:
    """Write the numbers into the cells, light on dark and dark on light."""
    for (i, j), value in np.ndenumerate(table):
        if np.isfinite(value):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.55
            text = f"{value:.4g}".replace("-", "\N{MINUS SIGN}")
            axes.text(j, i, text, ha="center", va="center", color="white" if dark else LINE, fontsize=7.5)


def _ticks(axis: Any, values: np.ndarray) -> None:
    """Mark the cells of a map with the values of the parameter, some of them where there are many."""
    step = max(1, -(-len(values) // 8))
    axis.set_ticks(range(0, len(values), step), [_text(v) for v in values[::step]])


def _family(axes: Any, x: Parameter, y: Parameter, values: np.ndarray, sweep: Sweep) -> None:
    """Draw one line over x per value of y, coloured in the order of y."""
    from matplotlib import colormaps

    at = _position(axes, x)
    steps, level = _levels(y)
    for n, step in enumerate(steps):
        colour = colormaps["viridis"](0.9 * n / max(1, len(steps) - 1))
        mine = level == n
        # of many lines the first, the middle and the last have their value in the legend
        named = len(steps) <= MOST or n in (0, len(steps) // 2, len(steps) - 1)
        _line(axes, at[mine], values[mine], colour, _text(step) if named else "", x.numeric)
    _failures(axes, at, sweep)
    axes.set_xlabel(label(x.name, short(x.unit)))


def _scatter(sweep: Sweep, axes: Sequence[Parameter], data: dict[str, np.ndarray], path: Path) -> Path:
    """Draw every quantity (rows) over every parameter (columns), with the rank correlation of the two."""
    figure, panels = _panels(len(data), len(axes))
    for row, (name, values) in zip(panels, data.items(), strict=True):
        for panel, axis in zip(row, axes, strict=True):
            x = _position(panel, axis)
            panel.plot(x, values, "o", alpha=0.75, markeredgewidth=0)
            _beside(panel, sweep, name)
            _failures(panel, x, sweep)
            if axis.numeric:
                rho = rank_correlation(x, values)
                panel.set_title(f"ρ = {rho:+.2f}", fontsize=8.5, fontweight="normal", loc="right")
        row[0].set_ylabel(name)
    for panel, axis in zip(panels[-1], axes, strict=True):
        panel.set_xlabel(label(axis.name, short(axis.unit)))
    return _titled(figure, sweep, path)


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return Spearman's rank correlation of two columns (N,), members without a value left out."""
    good = np.isfinite(x) & np.isfinite(y)
    if good.sum() < 3 or np.ptp(x[good]) == 0 or np.ptp(y[good]) == 0:
        return float("nan")
    return float(np.corrcoef(_ranks(x[good]), _ranks(y[good]))[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks (N,); equal values share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[place]


def _position(axes: Any, axis: Parameter) -> np.ndarray:
    """Return where the members stand along an axis (N,), and mark the axis."""
    if not axis.numeric:
        names, place = _levels(axis)
        long = len(names) > 4 or max(map(len, names)) > 20
        # slanted names end at their mark, so that they do not run into each other
        slanted = {"rotation": 25, "ha": "right", "rotation_mode": "anchor"} if long else {}
        axes.set_xticks(range(len(names)), [_text(n) for n in names], **slanted)
        axes.set_xlim(-0.5, len(names) - 0.5)
        return place.astype(float)
    steps = np.unique(axis.values[np.isfinite(axis.values)])
    log = _wants_log(steps)
    if log:
        axes.set_xscale("log")
    if axis.name == "ranks" or (log and len(steps) <= MOST / 2):
        axes.set_xticks(steps, [_text(v) for v in steps])
        axes.minorticks_off()
    return axis.values


def _levels(axis: Parameter) -> tuple[np.ndarray, np.ndarray]:
    """Return the different values, numbers by size, names as they came, and which each member has (N,)."""
    values, first, place = np.unique(axis.values, return_index=True, return_inverse=True)
    if axis.numeric:
        return values, place
    order = np.argsort(first)
    return np.array([axis.named[v] for v in values[order].tolist()]), np.argsort(order)[place]


def _wants_log(steps: np.ndarray) -> bool:
    """Return whether a log axis spreads sorted values better."""
    if len(steps) < 3 or steps[0] <= 0 or steps[-1] / steps[0] < WIDE:
        return False
    return _even(np.log(steps)) <= _even(steps)


def _even(steps: np.ndarray) -> float:
    """Return how unevenly sorted values are spaced."""
    gaps = np.diff(steps)
    return float(gaps.std() / gaps.mean())


def _failures(axes: Any, x: np.ndarray, sweep: Sweep) -> None:
    """Mark failed members at the lower edge, where no value is claimed for them."""
    bad = np.array([s == "failed" for s in sweep.status]) & np.isfinite(x)
    if bad.any():
        where = axes.get_xaxis_transform()
        axes.plot(
            x[bad], np.zeros(bad.sum()), "x", color=FAILED, transform=where, clip_on=False, zorder=5,
            label="failed", markersize=6, markeredgewidth=1.6,
        )  # fmt: skip
        if axes.get_legend_handles_labels()[1] == ["failed"]:
            axes.legend()


def _panels(rows: int, columns: int) -> tuple[Any, np.ndarray]:
    """Return a figure and its panels (rows, columns) over common axes."""
    size = (7.0 if columns == 1 else 1.2 + 2.6 * columns, 1.1 + 2.3 * rows)
    figure, panels = pyplot().subplots(
        rows, columns, sharex="col", sharey="row", squeeze=False, figsize=size, layout="constrained"
    )
    return figure, panels


def _titled(figure: Any, sweep: Sweep, path: Path) -> Path:
    done = int(sweep.good.sum())
    figure.suptitle(f"{sweep.title}: {done} of {len(sweep)} members", x=0.01, ha="left", fontweight="bold")
    return save(figure, path)


def _text(value: Any) -> str:
    """Return a value as an axis or legend has it."""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 and value != round(value) else f"{value:.6g}"
    return str(value)
