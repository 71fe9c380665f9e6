"""``plexus-post linear``: preconditioners beside each other, from `plexus bench linear` or from runs.

Of files ``runs/bench/linear/*.json``, or of run folders with a linear solve each and ``output: series``: the
residual against iterations, work and seconds; iterations against what grows; seconds with the set-up hatched.
Of ``spectra.json`` the eigenvalues of M A and what networks make of couplings.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import numpy as np

from plexus_post.errors import PostError
from plexus_post.pictures.style import pyplot, save

if TYPE_CHECKING:
    from plexus_post.recipes._solves import Solve

HELP = "preconditioners beside each other: residual against work and seconds, growth, set-up and solve"
COLOURS = {"two_step": "#D55E00", "v": "#E69F00", "k": "#CC79A7", "learned": "#009E73"}
LIBRARY = ("#0072B2", "#56B4E9", "#6B4C9A", "#444444", "#7a9a01", "#8c6d46", "#999999", "#17becf", "#b30000")
MARKS = "osD^vP*X<>"
MANY = 40
"""Iterations above which their axis becomes logarithmic."""


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="files of the benchmark, or run folders")
    parser.add_argument("-o", "--out", default="pictures", help="folder of the pictures (default: pictures)")
    parser.add_argument("--system", help="the system whose residuals are drawn (default: the last one)")


def run(args: Namespace) -> None:
    """Draw the pictures and print their paths."""
    from plexus_post.recipes import _spectra
    from plexus_post.recipes._solves import read

    paths, folder = [Path(file) for file in args.files], Path(args.out)
    told = {path: _spectra.read(path) for path in paths}
    solves = [one for path in paths if told[path] is None for one in read(path)]
    made = _of_solves(solves, args.system, folder) if solves else []
    for one in told.values():
        if one is not None:
            made.append(_spectra.spectra(one, folder / "spectra.png"))
            made.append(_spectra.conductances(one, folder / "conductances.png"))
    print(*made, sep="\n")


def _of_solves(solves: Sequence[Solve], system: str | None, folder: Path) -> list[Path]:
    """Draw what solves tell; return the paths."""
    made = [residuals(_of_one(solves, system), folder / "convergence.png")]
    if _grown(solves):
        made.append(growth(solves, folder / "growth.png"))
    if any(s.setup is not None for s in solves):
        made.append(seconds(solves, folder / "seconds.png"))
    return made


def _of_one(solves: Sequence[Solve], name: str | None) -> list[Solve]:
    """Return the solves of the system of this name; else of the last one that most methods solved."""
    systems = list(dict.fromkeys(s.system for s in solves))
    if name is not None and name not in systems:
        raise PostError(f"no system {name!r}; there are {', '.join(systems)}")
    count = {n: len({s.method for s in solves if s.system == n}) for n in systems}
    chosen = name or max(reversed(systems), key=lambda n: count[n])
    found = [s for s in {s.method: s for s in solves if s.system == chosen}.values() if s.converged]
    if not found:
        raise PostError(f"no method has solved {chosen}: there is nothing to draw")
    return found


def look(solves: Sequence[Solve]) -> dict[str, dict[str, Any]]:
    """Return colour and mark of every method, the same in all pictures of these solves."""
    names, library = list(dict.fromkeys(s.method for s in solves)), 0
    found: dict[str, dict[str, Any]] = {}
    for k, name in enumerate(names):
        own = COLOURS.get(name) or COLOURS.get(name.split()[0])
        colour = own or LIBRARY[library % len(LIBRARY)]
        library += own is None
        style = "-" if own else "--"
        found[name] = {"color": colour, "linestyle": style, "marker": MARKS[k % len(MARKS)], "label": name}
    return found


def residuals(solves: Sequence[Solve], path: Path) -> Path:
    """Draw the residual against iterations, passes over the matrix and seconds; return the path."""
    timed = all(s.work is not None and s.solve is not None for s in solves)
    figure = pyplot().figure(figsize=(12 if timed else 6.4, 4.6), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, 3 if timed else 1, sharey=True))
    looks = look(solves)
    for s in solves:
        steps = np.arange(len(s.history))
        every = max(1, len(steps) // 8)
        xs: list[np.ndarray] = [steps]
        if timed:
            share = steps / max(s.iterations, 1)
            xs += [share * (s.work or 0), (s.setup or 0) + share * (s.solve or 0)]
        for axes, x in zip(panels, xs, strict=True):
            # on a logarithmic axis nothing stands at zero
            shown = slice(int(x[0] == 0 and axes is not panels[0]), None)
            axes.semilogy(x[shown], s.history[shown], markevery=every, **looks[s.method])
    for axes, text in zip(panels, ("iterations", "passes over A", "seconds, set-up included"), strict=False):
        axes.set_xlabel(text)
        if text != "iterations":
            axes.set_xscale("log")
        elif max(len(s.history) for s in solves) > MANY:
            axes.set_xscale("symlog", linthresh=10)
        else:
            axes.xaxis.get_major_locator().set_params(integer=True)
    panels[0].set_ylabel("‖b - A x‖ / ‖b‖")
    panels[0].set_title(solves[0].system)
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")
    return save(figure, path)


def _grown(solves: Sequence[Solve]) -> list[tuple[str, str]]:
    """Return the families of systems that grow, and along what."""
    names = dict.fromkeys((s.family, s.along) for s in solves if s.at is not None)
    return [n for n in names if len({s.at for s in solves if (s.family, s.along) == n}) > 1]


def growth(solves: Sequence[Solve], path: Path) -> Path:
    """Draw the mean iterations of each method against what grows; return the path."""
    families, looks = _grown(solves), look(solves)
    figure = pyplot().figure(figsize=(1.8 + 3.8 * len(families), 4.2), layout="constrained")
    panels = figure.subplots(1, len(families), squeeze=False)[0]
    for axes, family in zip(panels, families, strict=True):
        mine = [s for s in solves if (s.family, s.along) == family and s.at is not None and s.converged]
        for method in dict.fromkeys(s.method for s in mine):
            at = sorted({s.at for s in mine if s.method == method and s.at is not None})
            counts = [mean(s.iterations for s in mine if s.method == method and s.at == x) for x in at]
            axes.plot(at, counts, **looks[method])
        axes.set(title=family[0], xlabel=family[1], ylabel="iterations", yscale="log")
        axes.yaxis.get_major_locator().set_params(subs=(1, 2, 5))
        axes.yaxis.set(major_formatter="{x:g}", minor_formatter="")
        axes.set_xscale("log" if max(at) > 50 else "linear")
        if max(at) < 1e3 * min(at):
            axes.set_xticks(at, [f"{x:g}" for x in at], minor=False)
            axes.xaxis.set_minor_formatter("")
    handles = {k: v for a in panels for v, k in zip(*a.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside right center")
    return save(figure, path)


def seconds(solves: Sequence[Solve], path: Path) -> Path:
    """Draw the median seconds of set-up, hatched, and solve of each method by family; return the path."""
    known = [s for s in solves if s.setup is not None and s.solve is not None and s.converged]
    families, looks = list(dict.fromkeys(s.family for s in known)), look(known)
    figure = pyplot().figure(figsize=(1.6 + 4.2 * len(families), 4.4), layout="constrained")
    for axes, family in zip(figure.subplots(1, len(families), squeeze=False)[0], families, strict=True):
        mine = [s for s in known if s.family == family]
        names = list(dict.fromkeys(s.method for s in mine))
        setup = np.array([median(s.setup or 0 for s in mine if s.method == n) for n in names])
        solve = np.array([median(s.solve or 0 for s in mine if s.method == n) for n in names])
        colours = [looks[n]["color"] for n in names]
        axes.barh(names, setup, color="white", edgecolor=colours, hatch="////")
        axes.barh(names, solve, left=setup, color=colours, edgecolor=colours)
        axes.invert_yaxis()
        axes.grid(axis="y", visible=False)
        axes.set(title=family, xlabel="seconds: set-up (hatched) and solve")
    return save(figure, path)
