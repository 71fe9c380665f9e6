"""``plexus-post film RUN ... -o film.gif``: runs side by side with one colour scale, moving or as a strip."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from plexus_post.errors import PostError
from plexus_post.recipes._runs import add_runs, nematics

HELP = "runs side by side as a film (.gif), a strip of moments (.png) or numbered pictures (a folder)"


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    add_runs(parser, "the first one is the reference of the error")
    parser.add_argument("-o", "--out", default="film.gif", metavar="FILE", help="default: film.gif")
    parser.add_argument("--field", default="vorticity", help="order, vorticity (default) or speed")
    parser.add_argument("--frames", type=int, help="at most this many (default: 50; in a strip 4)")
    parser.add_argument("--from", dest="start", type=float, help="the first time (default: the first step)")
    parser.add_argument("--to", type=float, help="the last time (default: of the shortest run)")
    parser.add_argument("--fps", type=float, default=10.0, help="frames per second (default: 10)")
    parser.add_argument("--width", type=int, default=840, help="pixels of a film (default: 840)")


def run(args: Namespace) -> None:
    """Make the film or the strip and print its path."""
    from plexus_post.nematics.film import Film, strip

    runs, names = nematics(args, flow=True)
    target = Path(args.out)
    still = target.suffix == ".png"
    if target.suffix not in (".gif", ".png", ""):
        raise PostError(f"{target}: a film is a .gif, a strip a .png, numbered pictures go to a folder")
    if args.fps <= 0 or args.width < 200:
        raise PostError("a film needs a positive --fps and a --width of 200 or more")
    count = args.frames if args.frames is not None else 4 if still else 50
    times = moments([n.box.times for n in runs], args.start, args.to, count)
    if still:
        print(strip(runs, names, times, args.field, target))
        return
    film = Film(runs, names, times, args.field, args.width)
    print(film.write_gif(target, args.fps) if target.suffix else film.write_pictures(target))


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
