"""``plexus-post export``: fields of one step as CSV, NPZ or VTU, histories as CSV."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

import numpy as np

from plexus_post.columns import columns, write_csv
from plexus_post.commands._values import add_selection
from plexus_post.errors import PostError
from plexus_post.readers.grid import Grid
from plexus_post.readers.run import Run
from plexus_post.readers.run import open as open_run
from plexus_post.readers.sweep import Sweep, is_sweep
from plexus_post.units import short
from plexus_post.vtu import write_vtu

HELP = "fields as .csv, .npz or .vtu, histories as .csv"
FORMATS = ("csv", "npz", "vtu")


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("path", metavar="RUN")
    parser.add_argument(
        "target", metavar="FILE", help="the suffix chooses the format: .csv (fields at points), .npz, .vtu"
    )
    parser.add_argument("--series", metavar="NAME", help="a history instead, e.g. quantities, as .csv")
    add_selection(parser)


def run(args: Namespace) -> None:
    """Write the fields of a step, or the table of a sweep, and print the file's path."""
    target = Path(args.target)
    if is_sweep(args.path):
        Sweep(args.path).write(target)
    elif args.series:
        history(open_run(args.path), args.series, target)
    else:
        source = open_run(args.path)
        export(source, target, source.step(args.step, args.time), args.fields)
    print(args.target)


def history(run: Run, name: str, target: Path) -> None:
    """Write a history as CSV; the header has the units.

    Raises
    ------
    PostError
        If there is none of this name, the format is another one, or the file cannot be written.
    """
    if target.suffix != ".csv":
        raise PostError(f"{target}: unknown format {target.suffix}; a history is written as .csv")
    frame = run.series(name).reset_index().select_dtypes("number")
    units = {n: short(unit) for n, unit in frame.attrs["units"].items()}
    write_csv(
        target, {str(n): frame[n].to_numpy() for n in frame}, units | {"time": units.get("time") or "s"}
    )


def export(run: Run, target: Path, step: int, fields: list[str] | None = None) -> None:
    """Write the fields of a step; the suffix of ``target`` chooses the format.

    CSV holds point fields only: one row per point, coordinates first. NPZ holds every array under
    its name, ``points``, and ``cells_<shape>``. VTU is the XML format of VTK, written as text.

    Raises
    ------
    PostError
        If the format or a field is unknown, or the file cannot be written.
    """
    suffix = target.suffix.lstrip(".")
    if suffix not in FORMATS:
        raise PostError(f"{target}: unknown format .{suffix}; known are {', '.join(FORMATS)}")
    names = fields or list(run.fields)
    data = {n: run.field(n, step) for n in names}
    write = {"csv": _csv, "npz": _npz, "vtu": _vtu}[suffix]
    try:
        write(target, run, run.mesh(step), data)
    except OSError as error:
        raise PostError(f"{target}: {error.strerror or error}") from None


def _csv(target: Path, run: Run, grid: Grid, data: dict[str, np.ndarray]) -> None:
    on_points = {n: v for n, v in data.items() if run.place(n) == "point"}
    write_csv(target, dict(zip("xyz", grid.points.T, strict=True)) | columns(on_points))


def _vtu(target: Path, run: Run, grid: Grid, data: dict[str, np.ndarray]) -> None:
    write_vtu(target, grid, data, {n: run.place(n) for n in data})


def _npz(target: Path, run: Run, grid: Grid, data: dict[str, np.ndarray]) -> None:
    cells = {f"cells_{n}": c for n, c in grid.cells.items()}
    np.savez_compressed(target, **{"points": grid.points, **cells, **data})
