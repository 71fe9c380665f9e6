"""Sizes of a run on elements before its mesh is built.

A box counts its nodes itself. Otherwise nodes beyond the geometry's points, and always matrix entries and
memory, follow from average numbers per cell type:

    bytes per rank = unknowns/N · (entries per row · 12 B · copies + vectors · 8 B) + cells/N · slots · 4 B
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from plexus.protocols import FieldSpec, Outlook

if TYPE_CHECKING:
    from plexus.mesh.mesh import Estimate

# Cell type -> (nodes per vertex at degree 2, nodes of a cell at degree 1 and 2, neighbours of a node
# including itself at degree 1 and 2), averages over large meshes without boundary.
_AVERAGES = {
    "line": (2.0, (2, 3), (3.0, 4.0)),
    "triangle": (4.0, (3, 6), (7.0, 11.5)),
    "quadrilateral": (4.0, (4, 9), (9.0, 16.0)),
    "tetrahedron": (7.6, (4, 10), (15.0, 28.0)),
    "hexahedron": (8.0, (8, 27), (27.0, 64.0)),
}
_CELLS_PER_VERTEX = {
    "line": 1.0, "triangle": 2.0, "quadrilateral": 1.0, "tetrahedron": 5.5, "hexahedron": 1.0,
}  # fmt: skip
COPIES = 3.5
"""Matrices that are held at once: the tangent, the levels of multigrid and their set-up."""
VECTORS = 40
"""Vectors of one field that stepper, Krylov method and output hold."""
BASE = 180e6
"""Bytes of a rank without any field: interpreter and libraries."""


def outlook(estimate: Estimate, degree: int, specs: Sequence[FieldSpec]) -> Outlook:
    """Return the sizes of a run with these unknowns."""
    found = {spec.name: unknowns(estimate, degree, spec) for spec in specs}
    return Outlook(estimate, found, BASE, memory(estimate, degree, specs))


def _nodes(estimate: Estimate, degree: int) -> float:
    """Return the number of nodes; a curved mesh has its middle nodes among its points already."""
    if estimate.nodes:
        return float(estimate.nodes[degree - 1])
    growth = _AVERAGES[estimate.cell][0]
    usual = estimate.n_cells / _CELLS_PER_VERTEX[estimate.cell]
    curved = estimate.n_points > 0.5 * growth * usual
    vertices = estimate.n_points / growth if curved else estimate.n_points
    return vertices if degree == 1 else growth * vertices


def unknowns(estimate: Estimate, degree: int, spec: FieldSpec) -> int:
    """Return the number of unknowns of a field, approximate where the mesh cannot count its nodes."""
    return round(_nodes(estimate, degree)) * spec.components(estimate.dim)


def memory(estimate: Estimate, degree: int, specs: Sequence[FieldSpec]) -> float:
    """Return the approximate peak memory of all ranks, without that of the libraries [B]."""
    _, sizes, rows = _AVERAGES[estimate.cell]
    nodes = _nodes(estimate, degree)
    slots = 4.0 * estimate.n_cells * sizes[degree - 1] ** 2
    geometry = estimate.n_cells * 200.0 + estimate.n_points * 60.0
    fields = 0.0
    for spec in specs:
        m = spec.components(estimate.dim)
        fields += nodes * m * (rows[degree - 1] * m * 12 * COPIES + VECTORS * 8)
    return fields + slots + geometry
