"""``plexus-post probe``: fields at points or along a line, as a table, a CSV file or a picture."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from plexus_post.columns import columns, write_csv
from plexus_post.commands._values import add_selection
from plexus_post.errors import PostError
from plexus_post.readers.run import Run
from plexus_post.readers.run import open as open_run
from plexus_post.text import table
from plexus_post.units import short

HELP = "fields at points or along a line"
ROUNDING = 1e-5
"""Share of the largest value up to which those of two cells are one; files may be in single precision."""


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("path", metavar="RUN")
    parser.add_argument("--point", dest="points", action="append", metavar="X,Y", help="a point; repeatable")
    parser.add_argument("--line", nargs=2, metavar="X,Y", help="sample from one point to another")
    parser.add_argument("--count", type=int, default=101, help="points on the line (default: 101)")
    parser.add_argument("--history", action="store_true", help="the first point over all steps")
    parser.add_argument("--csv", metavar="FILE", help="write the table")
    parser.add_argument("--plot", metavar="FILE", help="draw it as PNG")
    add_selection(parser)


def run(args: Namespace) -> None:
    """Sample, then write, draw or print the columns."""
    source = open_run(args.path)
    points = _places(args, source)
    if args.history:
        data = history(source, points[0], args.fields)
        step, points = -1, points[:1]
    else:
        step = source.step(args.step, args.time)
        data = sample(source, points, args.fields, step)
    for text in several(source, points, args.fields, step):
        print(f"note: {text}", file=sys.stderr)
    if args.csv:
        write_csv(Path(args.csv), data, _units(source, data))
    if args.plot:
        from plexus_post.pictures.along import along

        along(data, "time" if args.history else "distance", source, Path(args.plot))
    if not (args.csv or args.plot):
        rows = [[float(v) for v in row] for row in zip(*data.values(), strict=True)]
        table(source.name, list(data), rows)


def several(run: Run, points: np.ndarray, fields: list[str] | None, step: int) -> Iterator[str]:
    """Yield what a person must know of fields with a value on each side of a place."""
    for name in fields or list(run.fields):
        if run.place(name) != "point":
            continue
        low, high = (side.reshape(len(points), -1) for side in run.sides(points, name, step))
        gap = (high - low).max(axis=1)
        apart = np.flatnonzero(gap > ROUNDING * np.nanmax(np.abs(run.field(name, step)), initial=0.0))
        if len(apart):
            i, column = apart[0], (high - low)[apart[0]].argmax()
            where = ", ".join(f"{v:g}" for v in points[i][: run.mesh(step).dim])
            what = columns({name: low[i : i + 1]})
            yield (
                f"{list(what)[column]} has a value on each side of ({where}), {low[i, column]:.6g} and "
                f"{high[i, column]:.6g}, at {len(apart)} of {len(points)} points: a contact lies there, or "
                "materials meet; those of one side are told"
            )


def _units(run: Run, data: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Return the units of sampled columns; a run without units has lengths and times without them too."""
    found = {n: short(run.unit(n)) for n in data if run.component(n)[0] in run.fields}
    if any(found.values()):
        found |= {"time": "s", "x": "m", "y": "m", "z": "m", "distance": "m"}
    return found


def _places(args: Namespace, run: Run) -> np.ndarray:
    """Return the points (N, 3) that the command line names."""
    named = args.line or args.points or []
    # without fields there is nothing to sample, which the caller says better
    fewest = 1 if len(run.times) and run.mesh().dim == 1 else 2
    points = np.array([point(p, fewest) for p in named])
    if args.line:
        points = line(points[0], points[1], args.count)
    if not len(points):
        raise PostError("name points (--point x,y) or a line (--line x,y x,y)")
    return points


def line(start: np.ndarray, end: np.ndarray, count: int) -> np.ndarray:
    """Return ``count`` equidistant points (count, 3) from start to end, both included."""
    return start + np.linspace(0, 1, count)[:, None] * (end - start)


def point(text: str, fewest: int = 2) -> np.ndarray:
    """Return a point (3,) from text ``x,y`` or ``x,y,z``, and ``x`` where one number is enough.

    Raises
    ------
    PostError
        If the text is not so many numbers.
    """
    try:
        values = [float(v) for v in text.split(",")]
    except ValueError:
        values = []
    if not fewest <= len(values) <= 3:
        raise PostError(f"{text!r} is no point; write {'x or ' if fewest == 1 else ''}x,y or x,y,z")
    return np.array([*values, 0.0, 0.0][:3])


def sample(run: Run, points: np.ndarray, fields: list[str] | None, step: int) -> dict[str, np.ndarray]:
    """Return columns x, y, z, distance along the points, and every field component there.

    Raises
    ------
    PostError
        If no point lies in the mesh.
    """
    data = columns(run.at(points, fields, step))
    if all(np.isnan(v).all() for v in data.values()):
        low, high = run.mesh(step).points.min(axis=0), run.mesh(step).points.max(axis=0)
        raise PostError(f"no point lies in the mesh, which spans {low.tolist()} to {high.tolist()}")
    distance = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return dict(zip("xyz", points.T, strict=True)) | {"distance": distance} | data


def history(run: Run, place: np.ndarray, fields: list[str] | None) -> dict[str, np.ndarray]:
    """Return columns time and every field component at one point over all steps.

    Raises
    ------
    PostError
        If there are no fields.
    """
    run.step()
    steps = [columns(run.at(place[None], fields, s)) for s in range(len(run.times))]
    return {"time": run.times} | {n: np.concatenate([s[n] for s in steps]) for n in steps[0]}
