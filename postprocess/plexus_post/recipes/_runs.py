"""What the recipes share: runs and their names from the command line."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from plexus_post.errors import PostError
from plexus_post.nematics.nematic import Nematic
from plexus_post.readers.run import Run
from plexus_post.readers.run import open as open_run
from plexus_post.readers.sweep import GOOD, Sweep, is_sweep
from plexus_post.units import words


def add_runs(parser: ArgumentParser, about: str) -> None:
    """Add the runs and the option that names them."""
    parser.add_argument("paths", nargs="+", metavar="RUN", help=f"{about}; a sweep stands for its members")
    parser.add_argument("--names", nargs="+", metavar="NAME", help="of the runs (default: of their folders)")


def nematics(args: Namespace, flow: bool = False) -> tuple[list[Nematic], list[str]]:
    """Open the runs of the command line and name them; a sweep stands for its members.

    With ``flow`` a velocity is enough.

    Raises
    ------
    PostError
        If a run cannot be used, or the number of names is another one.
    """
    found = [pair for path in args.paths for pair in _members(path)]
    runs, names = [r for r, _ in found], args.names or [n for _, n in found]
    if len(names) != len(runs):
        raise PostError(f"{len(names)} names for {len(runs)} runs")
    return [Nematic(r, flow) for r in runs], list(names)


def _label(folder: Path) -> str:
    """Return what a member of a sweep has of its own; empty for other runs."""
    place = folder.resolve()
    if not is_sweep(place.parent):
        return ""
    sweep = Sweep(place.parent)
    return {e["folder"]: name for e, name in zip(sweep.entries, sweep.labels, strict=True)}.get(
        place.name, ""
    )


def _members(path: str) -> list[tuple[Run, str]]:
    """Return a run and its name, or those of a sweep's members that have ended well."""
    if not is_sweep(path):
        run = open_run(path)
        return [(run, _label(run.folder) or words(run.name))]
    sweep = Sweep(path)
    rows = zip(sweep.entries, sweep.labels, sweep.status, strict=True)
    found = [(open_run(sweep.folder / e["folder"]), name) for e, name, status in rows if status in GOOD]
    if not found:
        raise PostError(f"{path}: no member of this sweep is done")
    return found
