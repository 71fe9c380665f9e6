"""``plexus-post export``: fields of one step as CSV, NPZ or VTU, histories as CSV."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from plexus_post.columns import columns, write_csv
from plexus_post.commands._values import add_selection
from plexus_post.errors import PostError
from plexus_post.readers.grid import Grid
from plexus_post.readers.run import Run
from plexus_post.readers.run import open as open_run
from plexus_post.readers.sweep import Sweep, is_sweep
from plexus_post.units import short

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


def _npz(target: Path, run: Run, grid: Grid, data: dict[str, np.ndarray]) -> None:
    cells = {f"cells_{n}": c for n, c in grid.cells.items()}
    np.savez_compressed(target, **{"points": grid.points, **cells, **data})


def _vtu(target: Path, run: Run, grid: Grid, data: dict[str, np.ndarray]) -> None:
    blocks = grid.blocks
    # cells are written shape by shape, so their data must follow in the same order
    order = np.concatenate([i for _, _, i in blocks])
    connectivity = np.concatenate([c.ravel() for _, c, _ in blocks])
    offsets = np.cumsum(np.concatenate([np.full(len(c), k.nodes) for k, c, _ in blocks]))
    types = np.concatenate([np.full(len(c), k.vtk) for k, c, _ in blocks])
    on = {place: {n: v for n, v in data.items() if run.place(n) == place} for place in ("point", "cell")}
    cell_data = {n: v[order] for n, v in on["cell"].items()}
    lines = [
        '<?xml version="1.0"?>',
        '<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian"><UnstructuredGrid>',
        f'<Piece NumberOfPoints="{len(grid.points)}" NumberOfCells="{len(types)}">',
        "<Points>", _array("Points", grid.points), "</Points>",
        "<Cells>", _array("connectivity", connectivity), _array("offsets", offsets),
        _array("types", types), "</Cells>",
        "<PointData>", *(_array(n, v) for n, v in on["point"].items()), "</PointData>",
        "<CellData>", *(_array(n, v) for n, v in cell_data.items()), "</CellData>",
        "</Piece></UnstructuredGrid></VTKFile>", "",
    ]  # fmt: skip
    target.write_text("\n".join(lines))


def _array(name: str, values: np.ndarray) -> str:
    """Return one DataArray element with its numbers as text."""
    flat = values.reshape(len(values), -1)
    kind = "Int64" if flat.dtype.kind in "iu" else "Float64"
    pattern = "%d" if kind == "Int64" else "%.16g"
    text = "\n".join(" ".join(pattern % v for v in row) for row in flat)
    head = f'type="{kind}" Name={quoteattr(name)} NumberOfComponents="{flat.shape[1]}" format="ascii"'
    return f"<DataArray {head}>\n{text}\n</DataArray>"
