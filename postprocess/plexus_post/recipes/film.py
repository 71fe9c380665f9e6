"""``plexus-post film RUN ... -o film.gif``: a field, or runs side by side with one colour scale."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from plexus_post.errors import PostError
from plexus_post.readers.run import open as open_run
from plexus_post.readers.sweep import is_sweep
from plexus_post.recipes._runs import add_runs, nematics

if TYPE_CHECKING:
    from plexus_post.nematics.film import Film
    from plexus_post.pictures.film import FieldFilm

FLOW = ("order", "vorticity", "speed")
"""Fields that the films of flows know."""
HELP = "a field, or runs side by side, as film (.gif), strip of moments (.png) or pictures (a folder)"


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    add_runs(parser, "the first one is the reference of the error")
    parser.add_argument("-o", "--out", default="film.gif", metavar="FILE", help="default: film.gif")
    parser.add_argument("--field", help="order, vorticity (default of flows), speed, or any field of one run")
    parser.add_argument("--warp", type=float, metavar="FACTOR", help="times the displacement (0: none)")
    parser.add_argument("--frames", type=int, help="at most this many (default: 50; in a strip 4)")
    parser.add_argument("--from", dest="start", type=float, help="the first time (default: the first step)")
    parser.add_argument("--to", type=float, help="the last time (default: of the shortest run)")
    parser.add_argument("--fps", type=float, default=10.0, help="frames per second (default: 10)")
    parser.add_argument("--width", type=int, default=840, help="pixels of a film (default: 840)")


def run(args: Namespace) -> None:
    """Make the film or the strip and print its path."""
    from plexus_post.pictures.film import write_pictures

    target = Path(args.out)
    if target.suffix not in (".gif", ".png", ""):
        raise PostError(f"{target}: a film is a .gif, a strip a .png, numbered pictures go to a folder")
    if args.fps <= 0 or args.width < 200:
        raise PostError("a film needs a positive --fps and a --width of 200 or more")
    film = _of_field(args) or _of_flow(args, target)
    if film is None:
        print(target)
        return
    print(film.write_gif(target, args.fps) if target.suffix else write_pictures(film.frames(), target))


def _of_field(args: Namespace) -> FieldFilm | None:
    """Return the film of a field that the run itself has; None where the recipe knows how it is drawn."""
    from plexus_post.pictures.film import FieldFilm

    run = None if is_sweep(args.paths[0]) else open_run(args.paths[0])
    if run is None or args.field in FLOW:
        return None
    if "velocity" in run.fields and run.component(args.field or "")[0] not in run.fields:
        return None
    if len(args.paths) > 1 or Path(args.out).suffix == ".png":
        raise PostError("a strip, or several runs beside each other, show order, vorticity or speed")
    run.step()
    name = args.field or next(iter(run.fields))
    count = args.frames if args.frames is not None else 50
    return FieldFilm(run, name, moments([run.times], args.start, args.to, count), args.width, args.warp)


def _of_flow(args: Namespace, target: Path) -> Film | None:
    """Return the film of flows beside each other; None after a strip was drawn."""
    from plexus_post.nematics.film import Film, strip

    runs, names = nematics(args, flow=True)
    field, still = args.field or "vorticity", target.suffix == ".png"
    count = args.frames if args.frames is not None else 4 if still else 50
    times = moments([n.box.times for n in runs], args.start, args.to, count)
    if still:
        strip(runs, names, times, field, target)
        return None
    return Film(runs, names, times, field, args.width)


def moments(times: list[np.ndarray], start: float | None, end: float | None, count: int) -> np.ndarray:
    """Return up to ``count`` evenly chosen times of the first run within the span that all runs share.

    Raises
    ------
    PostError
        If there is no such time.
    """
    low = max(float(t[0]) for t in times) if start is None else start
    high = min(float(t[-1]) for t in times)
    high = high if end is None else min(high, end)
    slack = 1e-9 * max(abs(high), 1.0)
    inside = times[0][(times[0] >= low - slack) & (times[0] <= high + slack)]
    if count < 1:
        raise PostError(f"a film of {count} frames cannot be made")
    if not len(inside):
        raise PostError(f"no step lies in t = {low:g} to {high:g}")
    rows = np.unique(np.rint(np.linspace(0, len(inside) - 1, min(count, len(inside)))).astype(int))
    return np.asarray(inside[rows])
