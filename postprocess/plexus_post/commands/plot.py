"""``plexus-post plot``: pictures of the fields and histories of runs, and of sweeps."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from plexus_post.readers.run import open as open_run
from plexus_post.readers.sweep import Sweep, is_sweep

HELP = "pictures of fields and histories as PNG"


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("paths", nargs="+", metavar="RUN")
    parser.add_argument("-o", "--out", help="folder of the pictures (default: RUN/pictures)")
    parser.add_argument(
        "--fields", nargs="+", help="which fields or components, e.g. stress_xx (default: all)"
    )
    parser.add_argument("--step", type=int, help="which step (default: the last)")
    parser.add_argument("--time", type=float, help="the step nearest to this time")
    parser.add_argument("--warp", type=float, metavar="FACTOR", help="times the displacement (0: none)")
    parser.add_argument("--mesh", action="store_true", help="draw the edges of all cells")


def run(args: Namespace) -> None:
    """Make the pictures and print their paths."""
    for path in args.paths:
        for file in _pictures(path, args):
            print(file)


def _pictures(path: str, args: Namespace) -> list[Path]:
    """Draw one run or sweep; return the files."""
    if is_sweep(path):
        from plexus_post.pictures import sweeps

        sweep = Sweep(path)
        return sweeps.pictures(sweep, Path(args.out or sweep.folder / "pictures"), args.fields)
    from plexus_post.pictures.overall import pictures

    source = open_run(path)
    folder = Path(args.out or source.folder / "pictures")
    step = source.step(args.step, args.time) if args.time is not None else args.step
    return pictures(source, folder, args.fields, step, args.warp, args.mesh)
