"""What is seen of a mesh before a run, without MPI: the mesh on one rank, or its sizes where it is large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from plexus.mesh.alone import Alone
from plexus.mesh.build import finish
from plexus.mesh.doubled import in_mesh
from plexus.mesh.mesh import Mesh
from plexus.mesh.slices import Slices
from plexus.runtime.files import size

SAME = 1e-9
"""Coordinate of a corner that is rounding, relative to the extent of the mesh."""
_PREFIXES = (("km", 1e3), ("m", 1.0), ("mm", 1e-3), ("µm", 1e-6), ("nm", 1e-9))


@dataclass(frozen=True)
class Look:
    """What was seen.

    Attributes
    ----------
    lines : label -> what a person should know: the file, and sizes where there is no ``mesh``.
    mesh : the mesh on one rank, before refinement; None where making it would take long.
    regions, boundaries, skeleton : names, as far as they are known.
    warnings : what is seldom meant, with deck paths in front.
    kind : cell type and order, where there is no ``mesh`` but these are known.
    """

    lines: Mapping[str, str]
    mesh: Mesh | None
    regions: tuple[str, ...] = ()
    boundaries: tuple[str, ...] = ()
    skeleton: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    kind: tuple[str, int] | None = None


def whole(slices: Slices, periodic: bool) -> Mesh:
    """Return the mesh of a file on one rank; needs no MPI.

    Raises
    ------
    InputError
        If three cells share a facet.
    """
    alone: Any = Alone()
    return finish(alone, slices, periodic, "bisection", 0)


def seen(path: str | Path, form: str, slices: Slices, periodic: bool) -> Look:
    """Return what was seen of a mesh file that was read as a whole."""
    lines = {"mesh": about(path, form)}
    if slices.unused:
        lines["left out"] = f"{slices.unused:,} nodes of the file, which belong to no cell"
    mesh = whole(slices, periodic)
    doubled = in_mesh(mesh)
    return Look(lines, mesh, warnings=(f"mesh.file: {doubled}",) if doubled else ())


def about(path: str | Path, form: str) -> str:
    """Return name, format and size of a file."""
    return f"{Path(path).name}, {form}, {size(Path(path).stat().st_size)}"


def lengths(values: Sequence[float]) -> tuple[str, list[str]]:
    """Return a unit of length in which a person reads these values [m], and the values in it."""
    largest = max((abs(v) for v in values), default=0.0)
    unit, size = next(((u, s) for u, s in _PREFIXES if largest >= 0.9999 * s), _PREFIXES[-1])
    return unit, [f"{v / size:.4g}" for v in values]


def extent(low: np.ndarray, high: np.ndarray) -> str:
    """Return the size of a body as text, ``20 mm x 10 mm, from (0, 5) mm``."""
    unit, sizes = lengths((high - low).tolist())
    scale = dict(_PREFIXES)[unit]
    # what is rounding beside the body is zero
    corner = np.where(np.abs(low) < SAME * (high - low).max(), 0.0, low) / scale
    begin = ", ".join(f"{v:.4g}" for v in corner)
    return (
        " × ".join(f"{v} {unit}" for v in sizes) + f", from {f'({begin})' if len(low) > 1 else begin} {unit}"
    )
