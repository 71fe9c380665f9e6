"""Box mesh: a line-up of cubes in 2-D or 3-D, uniform or graded, optionally periodic or mapped.

Lattice coordinate along an axis of n cubes with grading q (last cube over first cube): s_i = (r^i − 1)/(r^n −
1) with r = q^(1/(n−1)), or i/n for q = 1; x = origin + size·s. ``map`` then replaces each coordinate by an
expression of the lattice coordinates x, y, z; ``regions`` and ``boundaries`` name cells and facets by
conditions on the final coordinates, ``curves`` and ``points`` edges and vertices, on which values and forces
may be prescribed. Squares are cut into two triangles and cubes into six tetrahedra along their main diagonals
(H. W. Kuhn, 1960, doi:10.1147/rd.45.0518). Sides are named left, right (x), bottom, top (y), back, front (z).
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import ValidationInfo, ValidatorFunctionWrapHandler, field_validator, model_validator

from plexus.deck.context import AXES, Known, only
from plexus.deck.params import Expression, Field, Params, Unit
from plexus.errors import InputError
from plexus.mesh.alone import Alone
from plexus.mesh.cells import reference
from plexus.mesh.folded import folded, place
from plexus.mesh.grid import Grid
from plexus.mesh.lattice import SIDES, build_box, cube_cells
from plexus.mesh.mesh import EXTERIOR, Estimate, Mesh
from plexus.mesh.select import cells_where, edges_where, facets_where, vertices_where
from plexus.registry import register

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.mesh.look import Look

BYTES_PER_CELL = 50
"""Memory while a mesh is built is above this for all cell types (65 for tetrahedra, 140 for hexahedra)."""
LOOKED_AT = 100_000
"""Cells, or half as many points, up to which a deck is checked with the mesh itself: less than a second."""
Length = Annotated[float, Unit("m")]
AxisName = Literal["x", "y", "z"]


class BoxParams(Params):
    """Parameters of a box mesh; lists have one entry per axis."""

    cell: Literal["triangle", "quadrilateral", "tetrahedron", "hexahedron"] = Field(description="cell type")
    cells: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        min_length=2, max_length=3, description="number of cubes per axis, before refinement"
    )
    size: tuple[Annotated[Length, Field(gt=0)], ...] | None = Field(
        None, description="edge lengths; 1 m along each axis if left out"
    )
    origin: tuple[Length, ...] | None = Field(None, description="lower corner; zero if left out")
    periodic: tuple[AxisName, ...] = Field((), description="axes whose two ends are one")
    grading: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(
        None, description="size of the last cube over that of the first, per axis; 1 is uniform"
    )
    refine: int = Field(0, ge=0, le=12, description="how often all cells are split in 2^d")
    degree: Literal[1, 2] = Field(1, description="degree of the cells' geometry; 2 follows a curved map")
    map: tuple[Annotated[Expression, Unit("m")], ...] | None = Field(
        None, description="new coordinates as expressions of the box coordinates x, y, z"
    )

    regions: dict[str, Expression] = Field(
        {}, description="name: condition on x, y, z that the centres of the region's cells fulfil"
    )
    boundaries: dict[str, Expression] = Field(
        {}, description="name: condition on x, y, z that the centres of the exterior facets fulfil"
    )

    curves: dict[str, Expression] = Field(
        {}, description="name: condition on x, y, z that both ends of the curve's edges fulfil; in 3-D"
    )
    points: dict[str, Expression] = Field(
        {}, description="name: condition on x, y, z that the vertices fulfil"
    )

    @field_validator("map", "regions", "boundaries", "curves", "points", mode="wrap")
    @classmethod
    def _of_coordinates(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        with only(info, AXES):
            return handler(value)

    @model_validator(mode="after")
    def _fits(self) -> BoxParams:
        dim = reference(self.cell).dim
        if len(self.cells) != dim:
            raise ValueError(f"a {self.cell} needs {dim} entries in cells, here are {len(self.cells)}")
        for name in ("size", "origin", "grading", "map"):
            value = getattr(self, name)
            if value is not None and len(value) != dim:
                raise ValueError(f"{name} needs {dim} entries, one per axis; here are {len(value)}")
        _check_distinct([*sum(SIDES, ()), EXTERIOR], self.boundaries, self.curves, self.points)
        if self.curves and dim != 3:
            raise ValueError(f"curves of a {dim}-D box are its boundaries: name them there")
        for axis in self.periodic:
            number = "xyz".index(axis)
            if number >= dim or self.cells[number] << self.refine < 3:
                raise ValueError(f"periodic axis {axis} needs at least 3 cells along it")
        return self


def _check_distinct(sides: list[str], *named: dict[str, Expression]) -> None:
    taken = dict.fromkeys(sides, "boundary")
    for kind, names in zip(("boundary", "curve", "point"), named, strict=True):
        for name in names:
            if name in taken:
                raise ValueError(f"the box has a {taken[name]} {name} already")
            taken[name] = kind


EXAMPLE = {"type": "box", "cell": "triangle", "cells": [8, 4], "size": ["2 m", "1 m"], "grading": [4, 1]}


@register("mesh", "box", BoxParams)
class Box:
    """Builds the box directly on each rank; no rank holds more than its part."""

    def __init__(self, params: BoxParams):
        self.params = params
        self.cubes = tuple(n << params.refine for n in params.cells)
        self.periodic = tuple(a in params.periodic for a in "xyz"[: len(self.cubes)])

    def build(self, comm: Comm) -> Mesh:
        """Return this rank's part of the box. Not collective: needs no communication.

        Raises
        ------
        InputError
            If ``map`` turns a cell inside out or makes it degenerate, if cells vanish in rounding, or if a
            rank's part of the mesh alone is larger than this machine's memory.
        """
        p = self.params
        self._require_memory(comm.size)
        mesh = build_box(comm, p.cell, p.degree, self.ticks(), self.periodic)
        if p.map is not None:
            names = dict(zip("xyz", mesh.points.T, strict=False))
            columns = [np.broadcast_to(e.sure(names), len(mesh.points)) for e in p.map]
            mesh.points = np.ascontiguousarray(np.stack(columns, axis=1), dtype=float)
            bad = (mesh.corner_volumes() <= 0).any(axis=1)
            if p.degree == 2 or p.cell == "hexahedron":
                bad |= folded(mesh.reference, p.degree, mesh.points[mesh.cells])
            if bad.any():
                text = "a cell is degenerate or inside out after mapping the box"
                where = place(mesh.points[mesh.cells[np.argmax(bad)]])
                raise InputError(f"mesh.map: {text}, the first one at {where}")
        mesh.regions = {name: cells_where(mesh, e) for name, e in p.regions.items()}
        mesh.boundaries |= {name: facets_where(mesh, e) for name, e in p.boundaries.items()}
        mesh.skeleton = {name: edges_where(mesh, e) for name, e in p.curves.items()}
        mesh.skeleton |= {name: vertices_where(mesh, e) for name, e in p.points.items()}
        return mesh

    def grid(self, comm: Comm) -> Grid:
        """Return the box as a uniform grid. Not collective.

        Raises
        ------
        InputError
            If the cells are not equal cubes of the lattice, or if parts of its sides have names.
        """
        p, dim = self.params, len(self.cubes)
        why = {
            "cell": p.cell in ("triangle", "tetrahedron") and f"{p.cell} cells are not those of a grid",
            "grading": p.grading is not None and set(p.grading) != {1.0} and "a grid has equal cells",
            "map": p.map is not None and "a grid has straight sides",
            "degree": p.degree != 1 and "a grid has straight cells: degree 1",
            "boundaries": bool(p.boundaries) and "a grid knows whole sides only",
            "curves": bool(p.curves) and "a grid knows whole sides only",
            "points": bool(p.points) and "a grid knows whole sides only",
        }
        for key, text in why.items():
            if text:
                raise InputError(f"mesh.{key}: {text}")
        size, origin = p.size or (1.0,) * dim, p.origin or (0.0,) * dim
        bounded = tuple(not periodic for periodic in self.periodic)
        return Grid(comm, self.cubes, size, origin, bounded, p.regions)

    def _require_memory(self, ranks: int) -> None:
        """Refuse a mesh that cannot be held: a system that runs out of memory kills without a word."""
        n_cells = self.estimate().n_cells
        needed = n_cells * BYTES_PER_CELL / ranks
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if needed > there:
            raise InputError(
                f"mesh.cells: {n_cells:,} cells need more than {needed / 1e9:,.0f} GB on each of {ranks} "
                f"rank{'s' * (ranks > 1)}, and this machine has {there / 1e9:,.0f} GB"
            )

    def ticks(self) -> list[np.ndarray]:
        """Return the lattice coordinates per axis, degree·n + 1 each [m].

        Raises
        ------
        InputError
            If cells have no length left after rounding.
        """
        p, dim = self.params, len(self.cubes)
        size, origin = p.size or (1.0,) * dim, p.origin or (0.0,) * dim
        grading = p.grading or (1.0,) * dim
        # refinement halves the graded gaps, so that coarse lattice points stay
        graded = [bisect(graded_ticks(n, q), p.refine) for n, q in zip(p.cells, grading, strict=True)]
        fine = [bisect(s, 1) if p.degree == 2 else s for s in graded]
        ticks = [o + length * s for o, length, s in zip(origin, size, fine, strict=True)]
        for axis, here in zip("xyz", ticks, strict=False):
            # ticks that are not finite do not rise either
            if not (np.diff(here) > 0).all():
                raise InputError(f"mesh: cells along {axis} vanish in rounding: see size, origin and grading")
        return ticks

    def alone(self) -> Mesh | None:
        """Return the mesh as one rank alone has it, or None if it is large; needs no MPI.

        Raises
        ------
        InputError
            As ``build``.
        """
        size = self.estimate()
        if max(size.n_cells, size.n_points // 2) > LOOKED_AT:
            return None
        comm: Any = Alone()
        with np.errstate(all="ignore"):
            return self.build(comm)

    def missed(self) -> Iterator[tuple[str, str]]:
        """Yield ``regions`` and the like and each name that nothing fulfils, of small boxes only."""
        p = self.params
        if not (p.regions or p.boundaries or p.curves or p.points):
            return
        try:
            mesh = self.alone()
        except InputError:  # told at its place, once the deck is read
            return
        if mesh is None:
            return
        parts = mesh.regions | mesh.boundaries | mesh.skeleton
        for kind in ("regions", "boundaries", "curves", "points"):
            yield from ((kind, name) for name in getattr(p, kind) if not len(parts[name]))

    def look(self) -> Look:
        """Return the mesh of a small box, and names; needs no MPI.

        Raises
        ------
        InputError
            As `build` does.
        """
        # a run builds the mesh without what a look needs
        from plexus.mesh.look import Look

        found = self.estimate()
        mesh = self.alone()
        kind = (found.cell, found.degree)
        return Look({}, mesh, found.regions, found.boundaries, found.skeleton, kind=kind)

    def known(self) -> Known:
        """Return dimension and names, against which the deck is checked."""
        found = self.estimate()
        return Known(found.dim, found.regions, (*found.boundaries, *found.skeleton), found.skeleton)

    def estimate(self) -> Estimate:
        """Return sizes and names; exact, needs no MPI."""
        p, dim = self.params, len(self.cubes)
        sides = [name for axis in range(dim) if not self.periodic[axis] for name in SIDES[axis]]
        names = (*sides, *p.boundaries, EXTERIOR)
        n_cells = math.prod(self.cubes) * len(cube_cells(p.cell))
        # the edges, faces and centres of the cubes hold one node of degree 2 each, in simplices too
        nodes = (self._lattice(1), self._lattice(2))
        points = nodes[p.degree - 1]
        skeleton = (*p.curves, *p.points)
        return Estimate(
            dim, p.cell, n_cells, points, tuple(p.regions), names, nodes, degree=p.degree, skeleton=skeleton
        )

    def _lattice(self, degree: int) -> int:
        """Return the number of lattice points with ``degree`` steps per cube; periodic ends are one."""
        return math.prod(n * degree + (not wrap) for n, wrap in zip(self.cubes, self.periodic, strict=True))


def graded_ticks(n: int, grading: float) -> np.ndarray:
    """Return n + 1 points on [0, 1] whose gaps grow geometrically by ``grading`` from first to last."""
    i = np.arange(n + 1)
    if n == 1 or grading == 1:
        return i / n
    r = np.float64(grading) ** (1 / (n - 1))
    with np.errstate(over="ignore", invalid="ignore"):
        return (r**i - 1) / (r**n - 1)


def bisect(ticks: np.ndarray, times: int) -> np.ndarray:
    """Return the ticks with the middle of each gap added, ``times`` times over."""
    for _ in range(times):
        ticks = np.insert(ticks, np.arange(1, len(ticks)), (ticks[1:] + ticks[:-1]) / 2)
    return ticks
