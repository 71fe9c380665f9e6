"""Mesh in our own HDF5 layout, written once by ``plexus mesh convert``; each rank reads its slice only.

The cells are then dealt out by a graph partitioner and moved to their owners, so that no rank ever
holds the whole mesh. Lengths in the file are metres.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from plexus.deck.params import Field, InputFile, Params
from plexus.errors import InputError, at_path
from plexus.mesh.folded import folded, place
from plexus.mesh.look import Look, about, seen
from plexus.mesh.mesh import Estimate, Mesh
from plexus.mesh.store import MeshFile, require_sound
from plexus.mesh.sums import Sum, verified
from plexus.registry import register

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.mesh.slices import Slices


QUICKLY = 16 * 2**20
"""Size of a file that is looked at as a whole in about a second [B]."""
FORM = "HDF5 mesh of Plexus"


class Hdf5Params(Params):
    """Parameters of a converted mesh."""

    file: InputFile = Field(description="file made by plexus mesh convert, relative to the deck")
    sha256: Sum = None
    refine: int = Field(0, ge=0, le=10, description="how often all cells are split in 2^d")
    periodic: bool = Field(False, description="identify the points that the file declares periodic images")
    partitioner: Literal["auto", "ptscotch", "parmetis", "bisection"] = Field(
        "auto", description="how cells are dealt out; auto takes the first graph partitioner that PETSc has"
    )


EXAMPLE = {"type": "hdf5", "file": "meshes/blade.h5"}


@register("mesh", "hdf5", Hdf5Params)
class Hdf5:
    """Reads slices on all ranks and distributes them."""

    def __init__(self, params: Hdf5Params):
        self.params = params

    def build(self, comm: Comm) -> Mesh:
        """Return this rank's part of the mesh. Collective.

        Raises
        ------
        InputError
            On all ranks, if one of them cannot read its slice, if one of its cells is folded, or if the file
            is another one than the deck names.
        """
        from plexus.mesh.build import finish, from_all, identified
        from plexus.mesh.exchange import agreed

        p = self.params

        def read() -> Slices:
            with MeshFile(p.file) as file:
                return file.slices(comm.rank, comm.size)

        found = identified(comm, p.file, p.sha256)
        with at_path("mesh.file"):
            agreed(comm, lambda: require_sound(p.file) if comm.rank == 0 else None)
            slices = from_all(comm, read)
            with at_path(p.file):
                mesh = finish(comm, slices, p.periodic, p.partitioner, p.refine)
                agreed(comm, lambda: _require_unfolded(mesh, p.refine))
        mesh.sha256 = found
        return mesh

    def look(self) -> Look:
        """Return the mesh, or sizes and names where the file is large; needs no MPI.

        Raises
        ------
        InputError
            If the file is unusable, or another one than the deck names.
        """
        p = self.params
        if p.sha256:
            verified(p.file, p.sha256)
        with at_path("mesh.file"):
            require_sound(p.file)
            with MeshFile(p.file) as file:
                if Path(p.file).stat().st_size <= QUICKLY:
                    slices = file.slices(0, 1)
                    with at_path(p.file):
                        found = seen(p.file, FORM, slices, p.periodic)
                        if found.mesh is not None:
                            _require_unfolded(found.mesh)
                        return found
                sizes = file.estimate()
        lines = {
            "mesh": about(p.file, FORM),
            "cells": f"{sizes.n_cells:,} {sizes.cell} cells, {sizes.n_points:,} points",
            "not seen": "coordinates, parts, shapes of cells: a large file; the run looks at them",
        }
        kind = (sizes.cell, sizes.degree)
        return Look(lines, None, sizes.regions, sizes.boundaries, sizes.skeleton, kind=kind)

    def known(self) -> None:
        """Return nothing: a deck is checked without reading the file."""
        return

    def estimate(self) -> Estimate:
        """Return sizes and names; reads no coordinates. Needs no MPI.

        Raises
        ------
        InputError
            If the file is unusable.
        """
        with at_path("mesh.file"):
            require_sound(self.params.file)
            with MeshFile(self.params.file) as file:
                found = file.estimate()
        growth = 2 ** (found.dim * self.params.refine)
        return replace(found, n_cells=found.n_cells * growth, n_points=found.n_points * growth)


def _require_unfolded(mesh: Mesh, refine: int = 0) -> None:
    """Refuse cells of this rank that are degenerate or folded."""
    bad = folded(mesh.reference, mesh.geometry_degree, mesh.points[mesh.cells])
    if bad.any():
        first = int(np.argmax(bad))
        # children of cell c have the ids c·2^d + k
        cell = mesh.cell_ids[first] >> (mesh.dim * refine)
        raise InputError(
            f"cell {cell} is degenerate or folded: its volume element is not positive everywhere; "
            f"it lies at {place(mesh.points[mesh.cells[first]])}"
        )
