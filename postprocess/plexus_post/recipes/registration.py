"""``plexus-post registration RUN``: a registered field, the grid that goes with it, error against modes.

RUN is the folder of `plexus reduce` with a registration of a line: its `rom.h5` holds the grid at snapshots
(``arrays/grid``, positions of the control points in units of the line), the modes and their code.
"""

from __future__ import annotations

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import numpy as np

from plexus.fileformat import META
from plexus_post.errors import PostError
from plexus_post.pictures.style import pyplot, save
from plexus_post.readers.hdf5 import open_file, reading

HELP = "a registered field in place and time, its moving grid, and error against modes"
LINES = 25
"""Lines of the moving grid that are drawn."""
FEW = 500
"""Points of the line that are drawn."""


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("run", help="folder of `plexus reduce`, or the file in it")
    parser.add_argument("-o", "--out", metavar="FILE", help="the picture (default: registration.png)")


def run(args: Namespace) -> None:
    """Draw the picture."""
    path = Path(args.run)
    path = path / "rom.h5" if path.is_dir() else path
    with open_file(path) as file, reading(path):
        facts = json.loads(bytes(file[f"{META}/facts"][()]))["facts"]
        if "registration" not in facts:
            raise PostError(f"{path}: this is no registration")
        facts = facts["registration"]
        arrays = {name: file[f"arrays/{name}"][()] for name in ("modes", "code", "grid")}
    if len(facts["points"]) > 1:
        raise PostError(f"{path}: the field stands on {len(facts['points'])} axes, and a line is drawn")
    print(draw(facts, arrays, Path(args.out or "registration.png")))


def draw(facts: dict[str, Any], arrays: dict[str, np.ndarray], path: Path) -> Path:
    """Draw the panels; return the path."""
    times, code, grid = arrays["code"][:, 0], arrays["code"][:, 1:], arrays["grid"]
    n = len(arrays["modes"])
    some = np.arange(0, n, max(1, n // FEW))
    rest = np.linspace(0, 1, grid.shape[1])
    xi = (some + 0.5) / n
    x = np.array([np.interp(xi, rest, row) for row in grid])
    values = code @ arrays["modes"][some].T + facts["background"]
    figure = pyplot().figure(figsize=(9.6, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3, width_ratios=(1.2, 1, 1))
    shown = left.pcolormesh(
        x, np.broadcast_to(times[:, None], x.shape), values, shading="gouraud", rasterized=True
    )
    for k in np.linspace(0, len(xi) - 1, LINES).astype(int):
        left.plot(x[:, k], times, color="white", linewidth=0.5, alpha=0.7)
    left.set(xlabel="place, in units of the line", ylabel="time [s]", title="field and moving grid")
    figure.colorbar(shown, ax=left, label=facts["field"])
    for k in np.linspace(0, len(times) - 1, 5).astype(int):
        middle.plot(xi, values[k], linewidth=1.2, label=f"{times[k]:.3g} s")
    middle.set(xlabel="place on the moving grid", ylabel=facts["field"], title="seen from the grid")
    middle.legend(fontsize="small")
    for name, label in (("fixed_errors", "fixed grid"), ("moving_errors", "moving grid")):
        errors = np.array(facts[name])
        right.semilogy(np.arange(1, len(errors) + 1), np.maximum(errors, 1e-8), ".-", label=label)
    right.plot(facts["modes"], facts["error"], "k*", markersize=9, label="decoded")
    right.set(xlabel="modes", ylabel="relative error", title="error of the best modes")
    right.legend(fontsize="small")
    return save(figure, path)
