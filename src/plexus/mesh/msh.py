"""Reader of Gmsh meshes (MSH 4.1, text and binary): physical groups become regions and boundaries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plexus.errors import InputError
from plexus.mesh.facets import find_facets
from plexus.mesh.folded import folded, place
from plexus.mesh.mesh import EXTERIOR, corner_volumes
from plexus.mesh.msh_numbers import MshFile
from plexus.mesh.msh_sections import (
    Block,
    Entities,
    at,
    at_element,
    at_node,
    ghosts_of,
    mixed,
    read_elements,
    read_entities,
    read_names,
    read_nodes,
    read_periodic,
)
from plexus.mesh.skeleton import find_entities
from plexus.mesh.slices import Slices


def read_msh(path: str | Path | MshFile, scale: float = 1.0) -> Slices:
    """Read a whole mesh; one slice that holds everything.

    Physical groups of the cells' dimension become regions, those one dimension below boundaries, those below
    curves and points of the skeleton; a group without a name is called by its number. Where groups of several
    dimensions share a name, the boundary has it, then the curve. A curve counts if all its elements are edges
    of cells, a point if it is a vertex of one. Nodes that no cell uses are left out, left-handed cells are
    turned around, and node pairs of ``$Periodic`` share a topological number.

    Parameters
    ----------
    path
        File of version 4.1, by its name or read already.
    scale
        Length of the file's unit [m].

    Raises
    ------
    InputError
        If the file is truncated, of another version, has several cell types or unsupported elements,
        lacks physical groups, names missing nodes or facets that belong to no cell, or if a cell is
        degenerate. The message starts with the file and, for text, the line.
    """
    file = path if isinstance(path, MshFile) else MshFile(Path(path))
    names, entities = read_names(file), read_entities(file)
    nodes = read_nodes(file)
    blocks = read_elements(file, nodes)
    parts = _Parts.of(file, blocks, names, entities)
    # np.unique renumbers to the used nodes, in file order
    used, cells = np.unique(parts.cells(), return_inverse=True)
    first = parts.volume[0]
    cells = cells.reshape(-1, first.nodes.shape[1])
    # node of the file -> point, −1 for nodes that no cell uses
    number = np.full(len(nodes.tags), -1)
    number[used] = np.arange(len(used))
    points = _flatten(file, nodes.points, used, first.cell.dim) * scale
    pairs = number[read_periodic(file, nodes)]
    return Slices(
        cell=first.cell.name, degree=first.degree, n_cells=len(cells), n_points=len(points),
        cells=_right_handed(file, first, points, cells), points=points,
        vertex_ids=_identify(pairs[(pairs >= 0).all(axis=1)], len(points)),
        regions=parts.regions() | parts.empty(0), boundaries=parts.boundaries(cells, number) | parts.empty(1),
        skeleton=parts.skeleton(cells, number) | parts.empty(2), unused=len(nodes.tags) - len(used),
    )  # fmt: skip


@dataclass(frozen=True)
class _Parts:
    """The blocks that are cells, facets, and what is below, with the groups that each belongs to."""

    file: MshFile
    volume: list[Block]
    surface: list[Block]
    below: list[Block]
    names: dict[tuple[int, int], str]
    entities: Entities

    @classmethod
    def of(
        cls,
        file: MshFile,
        blocks: list[Block],
        names: dict[tuple[int, int], str],
        entities: Entities,
    ) -> _Parts:
        """Sort the blocks by dimension and check that they fit together."""
        # what has the highest dimension is the mesh, one below are its boundaries
        dim = max((b.cell.dim for b in blocks), default=0)
        volume = [b for b in blocks if b.cell.dim == dim]
        surface = [b for b in blocks if b.cell.dim == dim - 1]
        if dim < 1:
            raise InputError(f"{file.path}: the mesh has no cells of dimension 1, 2 or 3")
        kinds = sorted({(b.cell.name, b.degree) for b in volume})
        if len(kinds) > 1:
            raise InputError(mixed(file, kinds))
        _require_all_partitions(file, volume, entities)
        if not any(entities.groups.get((b.cell.dim, b.entity)) for b in volume + surface):
            groups = "Curve and Point" if dim == 1 else "Surface, Curve or Volume"
            raise InputError(
                f"{file.path}: the mesh has no physical groups of dimension {dim} or {dim - 1}, "
                f"so regions and boundaries have no names; define them with Physical {groups}"
            )
        # curves before points
        below = sorted((b for b in blocks if b.cell.dim < dim - 1), key=lambda b: -b.cell.dim)
        return cls(file, volume, surface, below, names, entities)

    def cells(self) -> np.ndarray:
        """Return the nodes of all cells, (c, n)."""
        return np.concatenate([b.nodes for b in self.volume])

    def regions(self) -> dict[str, np.ndarray]:
        """Return the region names with their cells, ascending."""
        # cells are numbered block after block
        ends = np.cumsum([len(b.nodes) for b in self.volume])
        found: dict[str, list[np.ndarray]] = {}
        for block, end in zip(self.volume, ends, strict=True):
            for name in self._groups(block):
                found.setdefault(name, []).append(np.arange(end - len(block.nodes), end))
        return {name: np.unique(np.concatenate(parts)) for name, parts in found.items()}

    def boundaries(self, cells: np.ndarray, number: np.ndarray) -> dict[str, np.ndarray]:
        """Return the boundary names with their pairs (cell, facet), ascending.

        ``number`` maps nodes of the file to points. A facet between two cells belongs to the lower one.
        """
        found: dict[str, list[np.ndarray]] = {}
        rows: dict[str, list[np.ndarray]] = {}
        ends = np.cumsum([len(b.nodes) for b in self.surface])
        for block, end in zip(self.surface, ends, strict=True):
            for name in self._groups(block):
                found.setdefault(name, []).append(number[block.nodes[:, : block.cell.n_vertices]])
                rows.setdefault(name, []).append(np.arange(end - len(block.nodes), end))
        cell = self.volume[0].cell
        vertices = cells[:, : cell.n_vertices]
        return {
            name: self._facets(name, vertices, np.concatenate(parts), np.concatenate(rows[name]))
            for name, parts in found.items()
        }

    def skeleton(self, cells: np.ndarray, number: np.ndarray) -> dict[str, np.ndarray]:
        """Return the names of curves and points with their pairs (cell, entity), ascending."""
        cell, found = self.volume[0].cell, dict[str, list[np.ndarray]]()
        taken = {name for block in self.surface for name in self._groups(block)}
        for block in self.below:
            for name in (name for name in self._groups(block) if name not in taken):
                found.setdefault(name, []).append(number[block.nodes[:, : block.cell.n_vertices]])
        # where a curve has the name too, the point goes without
        kept = {name: [r for r in rows if r.shape[1] == rows[0].shape[1]] for name, rows in found.items()}
        vertices = cells[:, : cell.n_vertices]
        pairs = {name: find_entities(cell, vertices, rows) for name, rows in kept.items()}
        return {name: rows for name, rows in pairs.items() if rows is not None}

    def empty(self, below: int) -> dict[str, np.ndarray]:
        """Return the groups without elements: of the cells' dimension (0), one below (1), all others (2)."""
        dim = self.volume[0].cell.dim
        full = {name for b in (*self.volume, *self.surface, *self.below) for name in self._groups(b)}
        lost = {
            name for (d, _), name in self.names.items()
            if min(dim - d, 2) == below and name not in full and name != EXTERIOR
        }  # fmt: skip
        return {name: np.empty((0, 2)[: 1 + bool(below)], dtype=np.int64) for name in sorted(lost)}

    def _facets(self, name: str, vertices: np.ndarray, wanted: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the facets of a boundary; ``rows`` (k,) are the numbers of its elements in the file."""
        pairs = find_facets(self.volume[0].cell, vertices, wanted)
        lost = int((pairs[:, 0] < 0).sum())
        if lost:
            text = f"is no side of any cell; {lost} of boundary {name!r} are none"
            raise at_element(self.file, self.surface[0].cell.name, rows[np.argmax(pairs[:, 0] < 0)], text)
        return np.unique(pairs, axis=0)

    def _groups(self, block: Block) -> list[str]:
        dim = block.cell.dim
        tags = self.entities.groups.get((dim, block.entity), [])
        unnamed = [str(tag) for tag in tags if (dim, tag) not in self.names]
        for name in unnamed:
            other = next((t for (d, t), given in self.names.items() if d == dim and given == name), None)
            if other is not None:
                raise InputError(
                    f"{self.file.path}: group {name} of dimension {dim} has no name, and group {other} is "
                    f"called {name!r}: both would be {name}; name the first"
                )
        return [self.names.get((dim, tag), str(tag)) for tag in tags]


def _require_all_partitions(file: MshFile, volume: list[Block], entities: Entities) -> None:
    """Refuse one of several files into which Gmsh has saved the partitions of a mesh."""
    dim = volume[0].cell.dim
    missing = entities.missing([(dim, b.entity) for b in volume], dim)
    every = {p for parts in entities.partitions.values() for p in parts}
    # with ghost elements the file of a partition has some of its neighbours, but no ghosts for them
    if missing or (len(every) > 1 and len(ghosts_of(file)) == 1):
        raise InputError(
            f"{file.path}: the file holds a part of a mesh of {len(every)} partitions; save all of them in "
            "one file (Mesh.PartitionSplitMeshFiles = 0)"
        )


def _flatten(file: MshFile, every: np.ndarray, used: np.ndarray, dim: int) -> np.ndarray:
    """Return the first ``dim`` coordinates; a plane mesh has to lie in z = 0, one of lines in y = z = 0."""
    points = every[used]
    away = np.abs(points[:, dim:]).max(axis=1, initial=0)
    bad = away > 1e-9 * float(np.ptp(points, axis=0).max(initial=0))
    if bad.any():
        first = int(used[np.argmax(bad)])
        where = "lines has to lie on the x axis" if dim == 1 else "plane cells has to lie in the plane z = 0"
        raise at_node(file, first, f"lies at {at(every[first])}: a mesh of {where}")
    return np.ascontiguousarray(points[:, :dim])


def _right_handed(file: MshFile, block: Block, points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return the cells with left-handed ones turned around."""
    # Gmsh orients plane meshes by the surface, so all cells of one may be left-handed
    det = corner_volumes(block.cell, points[cells[:, : block.cell.n_vertices]])
    left = (det < 0).all(axis=1)
    cells[left] = cells[left][:, block.cell.reversal(block.degree)]
    bad = ~left & (det <= 0).any(axis=1)
    if block.degree > 1 or block.cell.name == "hexahedron":
        bad |= folded(block.cell, block.degree, points[cells])
    if bad.any():
        first = int(np.argmax(bad))
        count = f"{int(bad.sum())} cells are" if bad.sum() > 1 else "1 cell is"
        text = "is degenerate or folded: its volume element is not positive everywhere; it lies at"
        where = place(points[cells[first]])
        raise at_element(file, block.cell.name, first, f"{text} {where}; {count} so")
    return cells


def _identify(pairs: np.ndarray, n_points: int) -> np.ndarray | None:
    """Return the lowest point number among all periodic images of each point; None without pairs."""
    if len(pairs) == 0:
        return None
    lowest, before = np.arange(n_points), np.empty(0, dtype=np.int64)
    while not np.array_equal(lowest, before):
        before = lowest.copy()
        # the lowest number spreads along chains of images, both ways, until nothing changes
        np.minimum.at(lowest, pairs[:, 0], before[pairs[:, 1]])
        np.minimum.at(lowest, pairs[:, 1], before[pairs[:, 0]])
    return lowest
