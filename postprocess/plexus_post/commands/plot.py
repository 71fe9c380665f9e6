"""``plexus-post plot``: pictures of runs, of trainings (several beside each other too), and of sweeps."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from plexus_post.readers.run import Run
from plexus_post.readers.run import open as open_run
from plexus_post.readers.sweep import Sweep, is_sweep
from plexus_post.readers.training import Training, is_training, of_sweep

HELP = "pictures of fields, histories and trainings as PNG"
TOGETHER = "trainings"
"""Folder of the pictures that show several trainings beside each other."""


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("paths", nargs="+", metavar="RUN")
    parser.add_argument(
        "-o", "--out", help="folder of the pictures (default: RUN/pictures; what several share: trainings)"
    )
    parser.add_argument(
        "--fields", nargs="+", help="which fields or components, e.g. stress_xx (default: all)"
    )
    parser.add_argument("--step", type=int, help="which step (default: the last)")
    parser.add_argument("--time", type=float, help="the step nearest to this time")
    parser.add_argument("--warp", type=float, metavar="FACTOR", help="times the displacement (0: none)")
    parser.add_argument("--mesh", action="store_true", help="draw the edges of all cells")


def run(args: Namespace) -> None:
    """Make the pictures and print their paths."""
    trainings = []
    for path in args.paths:
        if is_sweep(path):
            sweep = Sweep(path)
            _print(_of_sweep(sweep, _place(sweep.folder, args), args.fields))
            continue
        source = open_run(path)
        _print(_of_run(source, _place(source.folder, args), args))
        trainings += [Training(source)] if is_training(source) else []
    if len(trainings) > 1 and not args.fields:
        _print(_together(trainings, Path(args.out or TOGETHER)))


def _print(files: list[Path]) -> None:
    for file in files:
        print(file)


def _place(folder: Path, args: Namespace) -> Path:
    """Return where the pictures of a run or sweep go; each its own below a folder of several."""
    if not args.out:
        return folder / "pictures"
    whole = folder.resolve()
    names = [Path(path).resolve().name for path in args.paths]
    own = "_".join(whole.parts[1:]) if names.count(whole.name) > 1 else whole.name
    return Path(args.out) / own if len(names) > 1 else Path(args.out)


def _of_run(source: Run, folder: Path, args: Namespace) -> list[Path]:
    """Draw one run; return the files."""
    from plexus_post.pictures.overall import pictures

    step = source.step(args.step, args.time) if args.time is not None else args.step
    return pictures(source, folder, args.fields, step, args.warp, args.mesh)


def _of_sweep(sweep: Sweep, folder: Path, fields: list[str] | None) -> list[Path]:
    """Draw a sweep, and what its trainings learned if it is one of trainings; return the files."""
    from plexus_post.pictures import sweeps

    trainings = [] if fields else of_sweep(sweep)
    return sweeps.pictures(sweep, folder, fields) + (_together(trainings, folder) if trainings else [])


def _together(trainings: list[Training], folder: Path) -> list[Path]:
    """Draw trainings beside each other; return the files."""
    from plexus_post.pictures.trainings import pictures

    return pictures(trainings, folder)
