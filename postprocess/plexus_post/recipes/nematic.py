"""``plexus-post nematic RUN ...``: speed, order, defects and spectrum of active nematics, with pictures."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.columns import write_csv
from plexus_post.nematics.nematic import ORDERED, Nematic, Statistics
from plexus_post.pictures.style import LINE, pyplot, save
from plexus_post.recipes._runs import add_runs, nematics
from plexus_post.text import table
from plexus_post.units import label, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HELP = "mean speed, order, spectra and defects of active nematics"


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    add_runs(parser, "runs with a velocity and a director")
    parser.add_argument("-o", "--out", help="folder of pictures and tables (default: RUN/pictures)")
    parser.add_argument("--step", type=int, help="step of the picture (default: the last)")
    parser.add_argument("--after", type=float, help="means over t >= AFTER (default: the second half)")


def run(args: Namespace) -> None:
    """Print the table; write the histories as CSV, a picture of each run and one of all histories."""
    runs, names = nematics(args)
    every = [Statistics.of(n, name) for n, name in zip(runs, names, strict=True)]
    after = args.after if args.after is not None else min(0.5 * float(s.times[-1]) for s in every)
    head = ("run", "mean speed", "mean r", "defects", "born per time", "mean life", "loudest wave")
    table(f"Means over t >= {after:g}", head, [_row(s, after) for s in every])
    shared = Path(args.out) if args.out else runs[0].box.run.folder / "pictures"
    for nematic, s in zip(runs, every, strict=True):
        one = Path(args.out) if args.out else nematic.box.run.folder / "pictures"
        # several runs in one folder need names of their own
        end = f"_{nematic.box.run.name}" if args.out and len(runs) > 1 else ""
        one.mkdir(parents=True, exist_ok=True)
        write_csv(one / f"nematic{end}.csv", s.columns())
        write_csv(one / f"defects{end}.csv", s.defect_columns())
        step = nematic.box.run.step(args.step)
        print(snapshot(nematic, s, step, one / f"nematic{end}.png"))
    # one moment has no history
    if max(len(s.times) for s in every) > 1:
        print(histories(every, after, shared / "nematic_history.png"))


def _row(s: Statistics, after: float) -> list[Any]:
    """Return means over late times; the life of those defects whose birth and end were both seen."""
    late, history = s.late(after), s.history
    times, last = s.times, len(s.times) - 1
    ended = [t for t in history.tracks if t.first > 0 and t.last < last and late[t.first]]
    life = np.mean([times[t.last + 1] - times[t.first] for t in ended]) if ended else np.nan
    span = float(np.ptp(times[late])) or 1.0
    energy = s.energy[late].mean(axis=0)
    numbers = (
        s.speed[late].mean(), s.order[late].mean(), history.counts[late].sum(axis=1).mean(),
        history.born[late].sum() / span, life,
    )  # fmt: skip
    loudest = int(s.shells[energy.argmax()]) if energy.max() > 0 else "-"
    return [s.name, *(f"{v:.4g}" if np.isfinite(v) else "-" for v in numbers), loudest]


def snapshot(nematic: Nematic, s: Statistics, step: int, path: Path) -> Path:
    """Draw order and vorticity of one step with rods and defects; return the path."""
    from plexus_post.nematics.panel import Shade, colour_bar, legend_entries, panel

    box = nematic.box
    height = 4.6 * float(box.lengths[1] / box.lengths[0])
    figure, both = pyplot().subplots(1, 2, figsize=(10.6, height + 0.9), layout="compressed", sharey=True)
    unit = "" if not short(box.run.unit("velocity")) else "m"
    for axes, name in zip(both, ("order", "vorticity"), strict=True):
        shade = Shade.of(name, [nematic], [step])
        colour_bar(axes, panel(axes, nematic, step, shade), shade)
        axes.set_xlabel(label("x", unit))
        axes.locator_params(nbins=5)
    both[0].set_ylabel(label("y", unit))
    plus, minus = s.history.frames[step].counts
    both[0].set_title(box.run.title, pad=20)
    when = f"t = {box.times[step]:g} · mean r = {s.order[step]:.3f} · mean speed = {s.speed[step]:.3f}"
    both[0].annotate(when, (0, 1), (0, 7), xycoords="axes fraction", textcoords="offset points", fontsize=8.5)
    entries = legend_entries()
    for entry, count in zip(entries, (plus, minus), strict=True):
        entry.set_label(f"{count} defects {entry.get_label()}")
    both[1].legend(handles=entries, loc="lower right", bbox_to_anchor=(1.02, 1.0), ncols=2, columnspacing=1.2)
    return save(figure, path)


def histories(every: list[Statistics], after: float, path: Path) -> Path:
    """Draw order, speed, number of defects over time and the mean spectra of all runs; return the path."""
    from plexus_post.nematics.panel import resolved, spectrum_axes

    figure, grid = pyplot().subplots(2, 2, figsize=(9.6, 6.0), layout="constrained")
    for i, s in enumerate(every):
        how: dict[str, Any] = {"color": f"C{i % 8}" if len(every) > 1 else LINE, "label": s.name}
        grid[0, 0].plot(s.times, s.order, **how)
        grid[0, 1].plot(s.times, s.speed, **how)
        _counts(grid[1, 0], s, how)
        energy = s.energy[s.late(after)].mean(axis=0)
        grid[1, 1].plot(s.shells[energy > 0], energy[energy > 0], **how)
    _axes(grid[0, 0], "Mean order", "time t", "r")
    _axes(grid[0, 1], "Mean speed", "time t", "⟨|u|⟩")
    _axes(grid[1, 0], "Defects ±1/2", "time t", "number (thick: running mean)")
    _axes(grid[1, 1], f"Velocity spectrum, t ≥ {after:g}", "wave number k L / 2π", "energy of the shell")
    grid[0, 0].set_ylim(0, 1)
    for axes in (grid[0, 0], grid[0, 1], grid[1, 0]):
        axes.set_xlim(0, max(float(s.times[-1]) for s in every))
        axes.set_ylim(bottom=0)
    top = max(float(np.nan_to_num(s.energy[s.late(after)]).mean(axis=0).max()) for s in every)
    spectrum_axes(grid[1, 1], max(resolved(s.shells) for s in every), top)
    if len(every) > 1:
        grid[0, 0].legend(loc="lower right")
    return save(figure, path)


def _counts(axes: Axes, s: Statistics, how: dict[str, Any]) -> None:
    """Draw the number of defects from when there is an order, and its running mean."""
    rows = s.order >= ORDERED
    if not rows.any():
        return
    times, count = s.times[rows], s.history.counts.sum(axis=1)[rows]
    axes.step(times, count, where="post", color=how["color"], lw=0.8, alpha=0.45)
    width = max(1, len(times) // 10)
    mean = np.convolve(count, np.ones(width), "same") / np.convolve(
        np.ones(len(count)), np.ones(width), "same"
    )
    axes.plot(times, mean, color=how["color"], lw=2)


def _axes(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
