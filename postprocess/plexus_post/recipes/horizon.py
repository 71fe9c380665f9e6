"""``plexus-post horizon REFERENCE RUN ...``: how long runs follow a reference, and what they share later."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.errors import PostError
from plexus_post.nematics.horizon import SHELLS, THRESHOLDS, Comparison, Row, Windows, passed
from plexus_post.pictures.style import LINE, pyplot, save
from plexus_post.recipes._runs import add_runs, nematics
from plexus_post.text import table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEGEND, WRAP = 3, 44
"""Names beside each other in the legend, and characters in a line of one."""
HELP = "how long runs follow a reference run, and their statistics beside its"


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    early, late = Windows().early, Windows().late
    add_runs(parser, "the first one is the reference, which counts as true")
    parser.add_argument("-o", "--out", metavar="FILE", help="the picture (default: horizon.png)")
    parser.add_argument("--csv", metavar="FILE", help="write the table")
    parser.add_argument(
        "--early", nargs=2, type=float, default=early, metavar=("FROM", "TO"),
        help=f"times of the order's error (default: {early[0]:g} {early[1]:g})",
    )  # fmt: skip
    parser.add_argument(
        "--late", type=float, default=late, metavar="FROM",
        help=f"times of the long-time means (default: {late:g}, at most half of the shortest run)",
    )  # fmt: skip


def run(args: Namespace) -> None:
    """Print the table, write it, draw the picture."""
    runs, names = nematics(args, flow=True)
    if len(runs) < 2:
        raise PostError("a horizon needs a reference and at least one more run")
    compared = Comparison(runs[0], runs[1:], names, Windows((args.early[0], args.early[1]), args.late))
    rows = compared.rows()
    table(_title(compared), _head(), [_cells(r) for r in rows])
    if args.csv:
        _write(Path(args.csv), rows)
    print(draw(compared, Path(args.out or "horizon.png")))


def _title(c: Comparison) -> str:
    early = c.windows.early
    window = f"dr over t = {early[0]:g} to {early[1]:g}, means over t >= {c.late:g}"
    return f"Beside {c.statistics[0].name}: {window}"


def _head() -> list[str]:
    passed = [f"{100 * t:g} %" for t in THRESHOLDS]
    return ["run", *passed, "dr", "spectrum", "mean speed", "mean r", "defects"]


def _cells(row: Row) -> list[Any]:
    """Return a row of the table; what a reference cannot have, and what is never passed, in words."""
    passed = ["never" if h == np.inf else h for h in row.horizons]
    values = [*passed, row.early_order, row.spectrum, row.speed, row.order, row.defects]
    return [row.name, *("-" if v != v else f"{v:.4g}" if isinstance(v, float) else v for v in values)]


def _write(path: Path, rows: list[Row]) -> None:
    import csv

    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["run", *(f"passed_{100 * t:g}_percent" for t in THRESHOLDS), *_head()[4:]])
        out.writerows(
            [r.name, *r.horizons, r.early_order, r.spectrum, r.speed, r.order, r.defects] for r in rows
        )


def draw(compared: Comparison, path: Path) -> Path:
    """Draw error, order (without directors the speed) and spectra; return the path."""
    # names are as long as their owners like: they stand below the panels, where no line runs
    rows = -(-len(compared.statistics) // LEGEND)
    figure = pyplot().figure(figsize=(9.6, 5.0 + 0.22 * rows), layout="constrained")
    left, right = figure.add_gridspec(1, 2, width_ratios=(1.25, 1))
    curves = figure.add_subplot(left)
    lower = right.subgridspec(2, 1)
    order, spectra = (figure.add_subplot(lower[i]) for i in (0, 1))
    colours = ["C0", "C1", "C2", "C3", "C4", "C5", "C6"]
    styles = ["-", "--", "-.", (0, (1, 1.2)), (0, (5, 1, 1, 1, 1, 1)), "-", "--"]
    for i, s in enumerate(compared.statistics):
        how: dict[str, Any] = {"color": LINE, "lw": 2.2, "alpha": 0.85, "label": f"{s.name} (reference)"}
        if i:
            how = {"color": colours[(i - 1) % 7], "ls": styles[(i - 1) % 7], "label": s.name}
            times, error = compared.curves[i - 1]
            curves.semilogy(times, np.where(error > 0, error, np.nan), **how)
            _marks(curves, times, error, how["color"])
        order.plot(s.times, s.order if compared.oriented else s.speed, **how)
        mean = compared.mean_spectrum(i)
        spectra.plot(s.shells[mean > 0], mean[mean > 0], **how)
    _error_axes(curves, float(max(s.times[-1] for s in compared.statistics)))
    _others(order, spectra, compared)
    names = [fill(t.get_label(), WRAP) for t in order.get_lines()]
    figure.legend(order.get_lines(), names, loc="outside lower center", ncols=min(len(names), LEGEND))
    return save(figure, path)


def _marks(axes: Axes, times: np.ndarray, error: np.ndarray, colour: str) -> None:
    """Mark where an error passes the thresholds."""
    for threshold in THRESHOLDS:
        when = passed(times, error, threshold)
        if np.isfinite(when):
            axes.plot(when, threshold, "o", ms=6, color=colour, mec="white", mew=1.0, zorder=4)


def _error_axes(axes: Axes, last: float) -> None:
    """Draw the thresholds and label the error in percent."""
    axes.set_title("Velocity error against the reference")
    axes.set_xlabel("time t")
    axes.set_ylabel("|u − u_ref| / |u_ref|")
    axes.set_xlim(0, last)
    # a flow without relation to the reference is off by √2 of it, give or take
    axes.set_ylim(max(axes.get_ylim()[0], 1e-3), 3)
    for threshold in THRESHOLDS:
        axes.axhline(threshold, color="#999999", lw=0.9, zorder=0)
    ticks = [t for t in (1e-3, 1e-2, *THRESHOLDS) if t >= axes.get_ylim()[0]]
    axes.set_yticks(ticks, [f"{100 * t:g} %" for t in ticks])
    axes.minorticks_off()


def _others(order: Axes, spectra: Axes, compared: Comparison) -> None:
    """Set labels of order and spectrum."""
    from plexus_post.nematics.panel import resolved, spectrum_axes

    order.set_title("Mean order" if compared.oriented else "Mean speed")
    order.set_xlabel("time t")
    order.set_ylabel("r" if compared.oriented else "⟨|u|⟩")
    order.set_xlim(0, max(float(s.times[-1]) for s in compared.statistics))
    order.set_ylim(0, 1 if compared.oriented else None)
    spectra.set_title(f"Velocity spectrum, t ≥ {compared.late:g}")
    spectra.set_ylabel("energy of the shell")
    last = min(resolved(s.shells) for s in compared.statistics)
    means = [np.nan_to_num(compared.mean_spectrum(i)) for i in range(len(compared.statistics))]
    top = max(float(m.max()) for m in means)
    spectrum_axes(spectra, last, top)
    # the shells that the table's number compares
    spectra.axvspan(0.5, SHELLS + 0.5, color="#f3f3f3", zorder=0, lw=0)
