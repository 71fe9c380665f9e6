"""``plexus-post compare``: whether two runs are equal to a tolerance, whatever their partitions."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass

import numpy as np

from plexus_post.errors import PostError
from plexus_post.readers.grid import Grid, match
from plexus_post.readers.run import Run
from plexus_post.readers.run import open as open_run
from plexus_post.tables.summary import verification_rows
from plexus_post.text import table

HELP = "are two runs equal? does a run hold its references?"
NEAR = 1e-7
"""Points closer than this, relative to the size of the mesh, are the same point."""


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("paths", nargs="+", metavar="RUN")
    parser.add_argument("--verification", action="store_true", help="check a run's own verification block")
    parser.add_argument("--tolerance", type=float, default=1e-8, help="relative, both norms (default: 1e-8)")
    parser.add_argument("--fields", nargs="+", help="which fields (default: all in common)")


def run(args: Namespace) -> int:
    """Print what differs or what is missed; return 0 when all is within tolerance, else 1."""
    if args.verification:
        # all runs are shown before the verdict
        codes = [verify(open_run(p)) for p in args.paths]
        return max(codes)
    if len(args.paths) != 2:
        raise PostError("compare needs two runs, or --verification and one")
    a, b = map(open_run, args.paths)
    return report(differences(a, b, args.fields), args.tolerance)


@dataclass(frozen=True)
class Difference:
    """Relative difference of one field at one time: |a - b| / |b| in the L2 and maximum norms."""

    field: str
    time: float
    l2: float
    maximum: float

    def within(self, tolerance: float) -> bool:
        """Return whether both norms are within the tolerance (NaN never is)."""
        return self.l2 <= tolerance and self.maximum <= tolerance


def differences(a: Run, b: Run, fields: list[str] | None = None) -> list[Difference]:
    """Return the differences of all common fields at all common times; the reference is ``b``.

    Raises
    ------
    PostError
        If the runs have no field or time in common, or their meshes differ.
    """
    names = _common(a, b, fields)
    rows = []
    for step, time in enumerate(a.times):
        other = b.step(time=float(time))
        # the same output time may differ in its last digits
        span = max(float(np.abs(b.times).max()), 1e-300)
        if abs(b.times[other] - time) > 1e-9 * span:
            continue
        grid_a, grid_b = a.mesh(step), b.mesh(other)
        for name in names:
            mine, theirs = a.field(name, step), b.field(name, other)
            order = _order(grid_a, grid_b, a.place(name))
            rows.append(Difference(name, float(time), *norms(mine, theirs[order])))
    if not rows:
        raise PostError(f"{a.name} and {b.name} have no time in common")
    return rows


def norms(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return |a - b| / |b| in the L2 (root mean square) and maximum norms; absolute where b is zero."""
    if a.shape != b.shape:
        raise PostError(f"fields of shapes {a.shape} and {b.shape} cannot be compared")
    d, r = np.abs(a - b).ravel(), np.abs(b).ravel()
    if not d.size:
        return 0.0, 0.0
    # the norm of d over that of r, both taken over all points and components
    l2, peak = float(np.sqrt((r**2).mean())), float(r.max())
    return float(np.sqrt((d**2).mean())) / (l2 or 1.0), float(d.max()) / (peak or 1.0)


def report(rows: list[Difference], tolerance: float) -> int:
    """Print the worst difference of each field; return 0 when all are within tolerance, else 1."""
    worst: list[tuple[object, ...]] = []
    for name in dict.fromkeys(r.field for r in rows):
        mine = [r for r in rows if r.field == name]
        top = max(mine, key=lambda r: (not r.within(tolerance), max(r.l2, r.maximum)))
        verdict = "yes" if all(r.within(tolerance) for r in mine) else "NO"
        worst.append((name, len(mine), top.time, top.l2, top.maximum, tolerance, verdict))
    head = ("field", "steps", "worst at", "L2", "maximum", "tolerance", "holds")
    table("Relative differences", head, worst)
    return 0 if all(r.within(tolerance) for r in rows) else 1


def verify(run: Run) -> int:
    """Print the verification block of a run; return 0 when every line holds, else 1.

    Raises
    ------
    PostError
        If the run has no verification block.
    """
    rows = verification_rows(run.summary)
    if not rows:
        raise PostError(f"{run.folder}: its summary has no verification block")
    table(f"Verification of {run.name}", ("quantity", "measured", "reference", "tolerance", "holds"), rows)
    return 0 if all(r[-1] == "yes" for r in rows) else 1


def _common(a: Run, b: Run, fields: list[str] | None) -> list[str]:
    common = [n for n in a.fields if n in b.fields]
    missing = [n for n in fields or [] if a.component(n)[0] not in common or b.component(n)[0] not in common]
    if missing or not common:
        what = f"no field {missing[0]!r}" if missing else "no field"
        raise PostError(f"{a.name} and {b.name} have {what} in common")
    return fields or common


def _order(a: Grid, b: Grid, location: str) -> np.ndarray:
    """Return for each point (or cell) of ``a`` its number in ``b``.

    Points are matched by global number when both files hold them, else by place; cells by their
    centres.
    """
    if location == "cell":
        return _by_place(centres(a), centres(b), a)
    # equal numbers at equal places: both grids are sorted by number already
    if a.ids is not None and b.ids is not None and np.array_equal(a.ids, b.ids):
        near = NEAR * float(a.size.max())
        if np.abs(a.points - b.points).max(initial=0.0) <= near:
            return np.arange(len(a.points))
    return _by_place(a.points, b.points, a)


def _by_place(x: np.ndarray, y: np.ndarray, grid: Grid) -> np.ndarray:
    order = match(x, y, NEAR * float(grid.size.max())) if len(x) == len(y) else np.full(1, -1)
    if (order < 0).any():
        raise PostError(f"the meshes differ: {len(x)} and {len(y)} points or cells that do not match")
    return order


def centres(grid: Grid) -> np.ndarray:
    """Return the mean of each cell's nodes (C, 3), in the order of the cell data."""
    out = np.zeros((grid.n_cells, 3))
    for _, cells, index in grid.blocks:
        out[index] = grid.points[cells].mean(axis=1)
    return out
