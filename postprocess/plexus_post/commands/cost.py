"""``plexus-post cost REFERENCE RUN ...``: what runs cost against how far off they are."""

from __future__ import annotations

import csv
from argparse import ArgumentParser, Namespace
from pathlib import Path

from plexus_post.errors import PostError
from plexus_post.readers.run import Run
from plexus_post.readers.run import open as open_run
from plexus_post.tables.cost import Row, rows
from plexus_post.text import table

HELP = "cost against accuracy: seconds and errors of runs beside a reference run"


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "paths", nargs="+", metavar="RUN",
        help="runs, as FOLDER or LABEL=FOLDER; the first one is the reference, which counts as true",
    )  # fmt: skip
    parser.add_argument("-o", "--out", metavar="FILE", default="cost.png", help="picture (default: cost.png)")
    parser.add_argument("--csv", metavar="FILE", help="write the table")
    parser.add_argument(
        "--quantities", nargs="+", metavar="NAME",
        help="of these (default: all in common in which any run errs)",
    )  # fmt: skip
    parser.add_argument(
        "--last", action="store_true", help="errors at the last time (default: the largest of all times)"
    )


def run(args: Namespace) -> None:
    """Print the table, write it, draw the picture."""
    from plexus_post.pictures.cost import draw

    made = rows(_named(args.paths), args.quantities, args.last)
    what = "relative error at the end" if args.last else "largest relative error"
    head, cells = _head(made), [_cells(r, made) for r in made]
    table(f"Beside {made[0].name}: {what}, seconds of cores", head, cells)
    if args.csv:
        _write(Path(args.csv), head, cells)
    print(draw(made, Path(args.out), what))


def _named(paths: list[str]) -> dict[str, Run]:
    """Return the runs by their labels.

    Raises
    ------
    PostError
        If there are fewer than two, or two share a label.
    """
    found: dict[str, Run] = {}
    for text in paths:
        # a folder may have a sign of equality in its name
        label, _, path = ("", "", text) if Path(text).exists() else text.rpartition("=")
        run = open_run(path)
        name = label or run.name
        if name in found:
            raise PostError(f"two runs are called {name!r}: tell them apart by LABEL=FOLDER")
        found[name] = run
    if len(found) < 2:
        raise PostError("cost needs a reference and at least one more run")
    return found


def _head(made: list[Row]) -> list[str]:
    return ["run", "ended", "seconds", "offline", "gain", *made[1].errors]


def _cells(row: Row, made: list[Row]) -> list[object]:
    """Return a row of the table; the gain counts offline parts."""
    told: list[object] = [row.name, row.ended, row.seconds, row.offline, made[0].total / row.total]
    return [*told, *map(row.errors.get, made[1].errors)]


def _write(path: Path, head: list[str], cells: list[list[object]]) -> None:
    """Write the table; what there is not stays empty."""
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(head)
        out.writerows(cells)
