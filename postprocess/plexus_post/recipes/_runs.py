"""What the recipes share: runs and their names from the command line."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from plexus_post.errors import PostError
from plexus_post.nematic import Nematic
from plexus_post.run import open as open_run


def add_names(parser: ArgumentParser) -> None:
    """Add the option that names the runs."""
    parser.add_argument("--names", nargs="+", metavar="NAME", help="of the runs (default: of their folders)")


def nematics(paths: list[str], args: Namespace, flow: bool = False) -> tuple[list[Nematic], list[str]]:
    """Open runs and name them; with ``flow`` a velocity is enough.

    Raises
    ------
    PostError
        If a run cannot be used, or the number of names is another one.
    """
    runs = [open_run(p) for p in paths]
    names = args.names or [r.name.replace("_", " ") for r in runs]
    if len(names) != len(runs):
        raise PostError(f"{len(names)} names for {len(runs)} runs")
    return [Nematic(r, flow) for r in runs], list(names)
