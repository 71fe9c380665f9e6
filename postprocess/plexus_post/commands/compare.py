"""``plexus-post compare``: whether two runs are equal to a tolerance, whatever their partitions."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plexus_post.errors import PostError
from plexus_post.readers.pairs import moments
from plexus_post.readers.run import Run
from plexus_post.readers.run import open as open_run
from plexus_post.tables.summary import verification_rows
from plexus_post.text import table
from plexus_post.vtu import write_pvd, write_vtu

HELP = "are two runs equal? does a run hold its references?"
FOLDER = "difference"
"""Where differences are written to."""


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("paths", nargs="+", metavar="RUN")
    parser.add_argument("--verification", action="store_true", help="check a run's own verification block")
    parser.add_argument("--tolerance", type=float, default=1e-8, help="relative, both norms (default: 1e-8)")
    parser.add_argument(
        "--fields", nargs="*", metavar="FIELD",
        help="of these fields (none named: all in common) also write both runs and their difference, for "
        "ParaView and as pictures",
    )  # fmt: skip
    parser.add_argument(
        "--time", type=float, help="the pictures show the time nearest to this (default: the last)"
    )
    parser.add_argument("-o", "--out", default=FOLDER, help=f"folder of these (default: {FOLDER})")


def run(args: Namespace) -> int:
    """Print what differs or what is missed; return 0 when all is within tolerance, else 1."""
    if args.verification:
        # all runs are shown before the verdict
        codes = [verify(open_run(p)) for p in args.paths]
        return max(codes)
    if len(args.paths) != 2:
        raise PostError("compare needs two runs, or --verification and one")
    a, b = map(open_run, args.paths)
    code = report(differences(a, b, args.fields), args.tolerance)
    if args.fields is not None:
        from plexus_post.pictures.difference import pictures

        folder = Path(args.out)
        for file in (write(a, b, args.fields, folder), *pictures(a, b, args.fields, folder, args.time)):
            print(file)
    return code


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
    return [
        Difference(name, both.time, *norms(*pair))
        for both in moments(a, b)
        for name, pair in both.fields(fields).items()
    ]


def norms(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return |a - b| / |b| in the L2 (root mean square) and maximum norms; absolute where b is zero."""
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


def write(a: Run, b: Run, fields: list[str], folder: Path) -> Path:
    """Write both runs' fields and a - b at all common times as VTU; return the collection that names them.

    Raises
    ------
    PostError
        If the folder cannot be written.
    """
    made: list[tuple[float, str]] = []
    target = folder / f"{FOLDER}.pvd"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for both in moments(a, b):
            data, places = {}, {}
            for name, (mine, theirs) in both.fields(fields).items():
                gap = mine.astype(float) - theirs
                for end, values in (("first", mine), ("second", theirs), ("difference", gap)):
                    data[f"{name}_{end}"], places[f"{name}_{end}"] = values, a.place(name)
            made.append((both.time, f"{FOLDER}_{len(made):04d}.vtu"))
            write_vtu(folder / made[-1][1], both.grid, data, places)
        write_pvd(target, made)
    except OSError as error:
        raise PostError(f"{folder}: {error.strerror or error}") from None
    return target
