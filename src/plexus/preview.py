"""`plexus check --mesh`: what a run of this deck would be, before it is started.

The mesh source tells its sizes and names (it reads a mesh file as far as it must, without MPI), a box also
its nodes. Otherwise nodes beyond the geometry's points, and always matrix entries and memory, follow from
average numbers per cell type:

    bytes per rank = unknowns/N · (entries per row · 12 B · copies + vectors · 8 B) + cells/N · slots · 4 B

Models in Fourier space hold so many arrays per point and per value of their unknown, and no matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plexus import registry
from plexus.deck.suggest import nearest
from plexus.errors import DeckError, Mark, Problem
from plexus.fileformat import DECK, FIELDS, LOG, PROGRESS, SERIES, SUMMARY, XDMF

if TYPE_CHECKING:
    from plexus.deck.schema import Deck
    from plexus.mesh.mesh import Estimate
    from plexus.protocols import FieldSpec

# Cell type -> (nodes per vertex at degree 2, nodes of a cell at degree 1 and 2, neighbours of a node
# including itself at degree 1 and 2), averages over large meshes without boundary.
_AVERAGES = {
    "triangle": (4.0, (3, 6), (7.0, 11.5)),
    "quadrilateral": (4.0, (4, 9), (9.0, 16.0)),
    "tetrahedron": (7.6, (4, 10), (15.0, 28.0)),
    "hexahedron": (8.0, (8, 27), (27.0, 64.0)),
}
_CELLS_PER_VERTEX = {"triangle": 2.0, "quadrilateral": 1.0, "tetrahedron": 5.5, "hexahedron": 1.0}
COPIES = 3.5
"""Matrices that are held at once: the tangent, the levels of multigrid and their set-up."""
VECTORS = 40
"""Vectors of one field that stepper, Krylov method and output hold."""
BASE = 180e6
"""Bytes of a rank without any field: interpreter and libraries."""
TORCH = 120e6
"""Bytes that torch adds to them."""
PER_POINT, PER_VALUE = 820.0, 155.0
"""Bytes per grid point, and more per real number of the unknown there: flow, fluxes, stages, measured."""


@dataclass(frozen=True)
class Outlook:
    """Unknowns by field, and the peak memory of one rank: fixed, and shared by all ranks [B]."""

    estimate: Estimate
    unknowns: dict[str, int]
    fixed: float
    shared: float

    def per_rank(self, ranks: int) -> float:
        """Return the approximate peak memory of one rank [B]."""
        return self.fixed + self.shared / ranks


def outlook(deck: Deck) -> Outlook:
    """Return the sizes of a run; reads a mesh file as far as it must."""
    estimate = registry.build("mesh", deck.mesh).estimate()
    cls: Any = registry.component("physics", deck.physics.type).cls
    if registry.discretisation("physics", deck.physics.type) == "spectral":
        found = {name: n * estimate.n_points for name, n in cls.unknowns(deck.physics, estimate.dim).items()}
        shared = PER_POINT * estimate.n_points + PER_VALUE * sum(found.values())
        return Outlook(estimate, found, BASE + TORCH, shared)
    degree, specs = deck.physics.degree, list(cls.fields(deck.physics))
    found = {spec.name: unknowns(estimate, degree, spec) for spec in specs}
    return Outlook(estimate, found, BASE, memory(estimate, degree, specs))


def preview(deck: Deck, ranks: int) -> str:
    """Return sizes, names, memory and output files as text.

    Raises
    ------
    DeckError
        If the deck names boundaries or regions that the mesh does not have.
    InputError
        If the mesh file is unusable.
    """
    found = outlook(deck)
    estimate = found.estimate
    _check_names(deck, estimate)
    lines = [
        f"mesh         {estimate.n_cells:,} {estimate.cell} cells, {estimate.n_points:,} points",
        f"boundaries   {', '.join(estimate.boundaries) or '-'}",
        f"regions      {', '.join(estimate.regions) or '-'}",
    ]
    degree = getattr(deck.physics, "degree", None)
    for name, n in found.unknowns.items():
        about = "" if estimate.nodes else "about "
        lines.append(f"{name:12} {about}{n:,} unknowns" + (f" (degree {degree})" if degree else ""))
    total = found.per_rank(ranks)
    lines.append(f"memory       about {total / 1e6:,.0f} MB per rank on {ranks} rank{'s' * (ranks > 1)}")
    lines.append(f"would write  {', '.join(files(deck))} in runs/{deck.name}/")
    return "\n".join(lines)


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


def memory(estimate: Estimate, degree: int, specs: list[FieldSpec]) -> float:
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


def files(deck: Deck) -> list[str]:
    """Return the names of the files that a run writes."""
    names = [DECK, SUMMARY, PROGRESS, LOG, SERIES]
    for output in deck.output:
        if output.type == "fields":
            stem = getattr(output, "name", "fields")
            names += [FIELDS.replace("fields", stem, 1), XDMF.replace("fields", stem, 1)]
        elif output.type == "checkpoint":
            names.append("checkpoint_<step>.h5")
    return list(dict.fromkeys(names))


def _check_names(deck: Deck, estimate: Estimate) -> None:
    problems = []
    for i, condition in enumerate(deck.boundary):
        for j, name in enumerate(condition.on):
            if name not in estimate.boundaries:
                path = f"boundary[{i}].on"
                place = deck.origins.get(path) or deck.origins.get(f"{path}[{j}]", "")
                text = f"the mesh has no boundary {name!r}{nearest(name, estimate.boundaries, 12)}"
                problems.append(Problem(_mark(place), path, text))
    if problems:
        raise DeckError(problems)


def _mark(place: str) -> Mark | None:
    file, _, rest = place.rpartition(":")
    file, _, line = file.rpartition(":")
    return Mark(file, int(line), int(rest)) if file else None
