"""Mesh made by Gmsh, read from a file in its format 4.1 (text or binary, first or second order).

Physical groups of the cells' dimension become regions, those one dimension below become boundaries, those
further below curves and points, on which values and forces may be prescribed; facets on one side of which
there is nothing are also in the boundary ``exterior``, unless a group of the file has that name. A mesh that
Gmsh has partitioned is read as a whole. One rank reads the file and deals it out in slices; a mesh too big
for one rank is converted once with ``plexus mesh convert`` and read as ``type: hdf5``. Gmsh: C. Geuzaine and
J.-F. Remacle, 2009, doi:10.1002/nme.2579.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from plexus.deck.context import Known
from plexus.deck.params import Field, InputFile, Params, Unit
from plexus.errors import at_path
from plexus.mesh.look import Look, seen
from plexus.mesh.mesh import EXTERIOR, Estimate, Mesh
from plexus.mesh.msh import read_msh
from plexus.mesh.msh_heads import heads
from plexus.mesh.msh_names import physical_names
from plexus.mesh.msh_numbers import MshFile
from plexus.mesh.sums import Sum, verified
from plexus.registry import register

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


QUICKLY, QUICKLY_AS_TEXT = 16 * 2**20, 8 * 2**20
"""Sizes of files that are looked at as a whole in about a second [B]."""


class GmshParams(Params):
    """Parameters of a Gmsh mesh."""

    file: InputFile = Field(description="the .msh file, relative to the deck")
    sha256: Sum = None
    scale: Annotated[float, Unit("m")] = Field(1.0, gt=0, description="length of the file's unit")
    refine: int = Field(0, ge=0, le=10, description="how often all cells are split in 2^d")
    periodic: bool = Field(False, description="identify the node pairs of the file's $Periodic section")
    partitioner: Literal["auto", "ptscotch", "parmetis", "bisection"] = Field(
        "auto", description="how cells are dealt out; auto takes the first graph partitioner that PETSc has"
    )


EXAMPLE = {"type": "gmsh", "file": "meshes/blade.msh", "scale": "1 mm"}


@register("mesh", "gmsh", GmshParams)
class Gmsh:
    """Reads the file on rank 0 and distributes it."""

    def __init__(self, params: GmshParams):
        self.params = params

    def build(self, comm: Comm) -> Mesh:
        """Return this rank's part of the mesh. Collective.

        Raises
        ------
        InputError
            On all ranks, if the file is unusable (see `plexus.mesh.msh.read_msh`), or another one than the
            deck names.
        """
        from plexus.mesh.build import finish, from_root, identified

        p = self.params
        found = identified(comm, p.file, p.sha256)
        with at_path("mesh.file"):
            slices = from_root(comm, lambda: read_msh(p.file, p.scale))
            with at_path(p.file):
                mesh = finish(comm, slices, p.periodic, p.partitioner, p.refine)
        mesh.sha256 = found
        return mesh

    def look(self) -> Look:
        """Return the mesh, or the heads of its sections where the file is large; needs no MPI.

        Raises
        ------
        InputError
            If the file is unusable, or another one than the deck names.
        """
        p = self.params
        if p.sha256:
            verified(p.file, p.sha256)
        with at_path("mesh.file"):
            file = MshFile(Path(p.file))
            form = "MSH 4.1, binary" if file.binary else "MSH 4.1, text"
            if len(file.data) > (QUICKLY if file.binary else QUICKLY_AS_TEXT):
                return heads(file, form, p.scale)
            slices = read_msh(file, p.scale)
            with at_path(p.file):
                return seen(p.file, form, slices, p.periodic)

    def known(self) -> Known | None:
        """Return the names of the groups, against which the deck is checked; reads the file's head only."""
        groups = physical_names(self.params.file)
        if groups is None:
            return None
        # the cells have at least the dimension of the highest group: what is two below is no boundary
        top = max((dim for dim, _ in groups), default=0)
        higher = {name for dim, name in groups if dim >= top - 1}
        names, places = [name for _, name in groups], [name for dim, name in groups if dim < 3]
        return Known(None, names, [*places, EXTERIOR], [name for name in names if name not in higher])

    def estimate(self) -> Estimate:
        """Return sizes and names; reads the whole file, so it finds every defect of it. Needs no MPI.

        Raises
        ------
        InputError
            If the file is unusable.
        """
        p = self.params
        with at_path("mesh.file"):
            whole = read_msh(p.file, p.scale)
        growth = 2 ** (whole.reference.dim * p.refine)
        names = tuple(dict.fromkeys([*whole.boundaries, EXTERIOR]))
        return Estimate(
            whole.reference.dim, whole.cell, whole.n_cells * growth, whole.n_points * growth,
            tuple(whole.regions), names, degree=whole.degree, skeleton=tuple(whole.skeleton),
        )  # fmt: skip
