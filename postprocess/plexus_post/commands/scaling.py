"""``plexus-post scaling``: strong and weak scaling of finished runs as a table, a picture and a model.

Takes a sweep over ranks (and sizes), or run folders.
"""

from __future__ import annotations

import csv
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from plexus_post.commands._values import ranks
from plexus_post.errors import PostError
from plexus_post.scaling.study import Study, analyse, content, formula, quality
from plexus_post.text import table

HELP = "time over ranks: plots and a model carried on"
FAR = 10_000
"""Ranks up to which the model is carried on."""


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a sweep over ranks, or run folders")
    parser.add_argument("-o", "--out", help="folder of plot, table and model (default: PATH, or scaling/)")
    parser.add_argument("--to", type=ranks, default=FAR, metavar="RANKS", help="how far (default: 10000)")


def run(args: Namespace) -> None:
    """Make the study and print the paths of its files."""
    paths = [Path(p) for p in args.paths]
    folder = Path(args.out) if args.out else paths[0] if len(paths) == 1 else Path("scaling")
    for file in scaling(paths, folder, args.to):
        print(file)


def scaling(paths: Sequence[Path], folder: Path, far: int = FAR) -> list[Path]:
    """Print the study of runs, write its plot, table and model, and return the files.

    Raises
    ------
    PostError
        If fewer than two rank counts are there, or a file cannot be written.
    """
    study = analyse(paths)
    show(study)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        made = [folder / f"scaling.{suffix}" for suffix in ("png", "csv", "json")]
        _csv(study, made[1])
        made[2].write_text(json.dumps(content(study, far), indent=2) + "\n")
    except OSError as error:
        raise PostError(f"{folder}: {error.strerror or error}") from None
    from plexus_post.scaling.picture import draw

    draw(study, made[0], far)
    return made


def show(study: Study) -> None:
    """Print the points, the model with its residual and assumptions, and the notes."""
    first = {s.points[0].unknowns: s.points[0] for s in study.series if s.kind == "strong"}
    rows: list[tuple[Any, ...]] = []
    for p in study.points:
        base = first.get(p.unknowns)
        gain = base.seconds * base.ranks / (p.seconds * p.ranks) if base else None
        share = f"{gain:.0%}" if gain is not None else "-"
        rows.append(
            (p.name, p.ranks, p.unknowns, p.seconds, p.wall, share, "more ranks than cores" * bool(p.crowded))
        )
    table("Runs", ("name", "ranks", "unknowns", "work [s]", "whole run [s]", "efficiency", ""), rows)
    model = study.model
    a, b, c = (f"{x:.3g}" for x in model.coefficients)
    print(f"\nModel  {formula(model)},  a = {a} s, b = {b} s, c = {c} s")
    print(f"  {quality(model)}")
    for text in model.assumptions():
        print(f"  assumes: {text}")
    for text in study.notes:
        print(f"  note: {text}")


def _csv(study: Study, path: Path) -> None:
    """Write the points with the model's times beside them."""
    p = study.points
    times = study.model.time(np.array([x.ranks for x in p]), np.array([x.unknowns for x in p]))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*asdict(p[0]), "model_seconds"])
        writer.writerows([*asdict(x).values(), float(t)] for x, t in zip(p, times, strict=True))
