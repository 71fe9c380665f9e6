"""Mesh in our own HDF5 layout, written once by ``plexus mesh convert``; each rank reads its slice only.

The cells are then dealt out by a graph partitioner and moved to their owners, so that no rank ever
holds the whole mesh. Lengths in the file are metres.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from plexus.deck.params import Field, InputFile, Params
from plexus.errors import InputError
from plexus.mesh.folded import folded, place
from plexus.mesh.mesh import Estimate, Mesh
from plexus.mesh.store import MeshFile
from plexus.registry import register

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

    from plexus.mesh.slices import Slices


class Hdf5Params(Params):
    """Parameters of a converted mesh."""

    file: InputFile = Field(description="file made by plexus mesh convert, relative to the deck")
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
            On all ranks, if one of them cannot read its slice, or if one of its cells is folded.
        """
        from plexus.mesh.build import finish, from_all
        from plexus.mesh.exchange import agreed

        p = self.params

        def read() -> Slices:
            with MeshFile(p.file) as file:
                return file.slices(comm.rank, comm.size)

        mesh = finish(comm, from_all(comm, read), p.periodic, p.partitioner, p.refine)
        agreed(comm, lambda: self._require_unfolded(mesh))
        return mesh

    def _require_unfolded(self, mesh: Mesh) -> None:
        """Refuse cells of this rank that are degenerate or folded."""
        bad = folded(mesh.reference, mesh.geometry_degree, mesh.points[mesh.cells])
        if bad.any():
            first = int(np.argmax(bad))
            # children of cell c have the ids c·2^d + k
            cell = mesh.cell_ids[first] >> (mesh.dim * self.params.refine)
            raise InputError(
                f"{self.params.file}: cell {cell} is degenerate or folded: its volume element is not "
                f"positive everywhere; it lies at {place(mesh.points[mesh.cells[first]])}"
            )

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
        with MeshFile(self.params.file) as file:
            found = file.estimate()
        growth = 2 ** (found.dim * self.params.refine)
        return replace(found, n_cells=found.n_cells * growth, n_points=found.n_points * growth)
