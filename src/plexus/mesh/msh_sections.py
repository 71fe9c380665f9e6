"""The sections of a Gmsh 4.1 file that describe a mesh: names, entities, nodes, elements, periodicity.

The layout is that of the Gmsh reference manual, section "MSH file format, version 4.1".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from plexus.errors import InputError
from plexus.mesh.cells import Cell, gmsh_types
from plexus.mesh.msh_numbers import MshFile, Numbers

_NAMES = {
    6: "a 6-node prism", 7: "a 5-node pyramid", 13: "an 18-node prism", 14: "a 14-node pyramid",
    16: "an 8-node quadrilateral", 17: "a 20-node hexahedron", 18: "a 15-node prism",
    19: "a 13-node pyramid",
}  # fmt: skip
_INCOMPLETE = {
    16: "set Mesh.SecondOrderIncomplete = 0 for 9 nodes",
    17: "set Mesh.SecondOrderIncomplete = 0 for 27 nodes",
}
_SUPPORTED = "lines, triangles, quadrilaterals, tetrahedra or hexahedra"
_OTHERS = "mesh volumes with tetrahedra, or all of them transfinite and recombined"


_NAME = re.compile(r'\s*([0-3])\s+(-?\d{1,12})\s+(?:"(.*)"|(\S+))\s*')
Key = tuple[int, int]
"""Dimension and tag of an entity."""


@dataclass(frozen=True)
class Entities:
    """The parts of the geometry: their physical tags, and the partitions that each lies in."""

    groups: dict[Key, list[int]]
    partitions: dict[Key, list[int]]

    def missing(self, blocks: Collection[Key], dim: int) -> list[int]:
        """Return the partitions that have entities of a dimension, none of which is among the blocks."""
        every = {p for (d, _), parts in self.partitions.items() if d == dim for p in parts}
        return sorted(every - {p for key in blocks for p in self.partitions.get(key, ())})


@dataclass(frozen=True, eq=False)
class Nodes:
    """All nodes of the file: their tags (n,) and coordinates (n, 3) in file order."""

    tags: np.ndarray
    points: np.ndarray

    def find(self, tags: np.ndarray) -> np.ndarray:
        """Return the index of each tag, -1 where there is no such node."""
        n = len(self.tags)
        # consecutive tags, the usual case: no search needed
        if n and self.tags[-1] - self.tags[0] == n - 1 and (np.diff(self.tags) == 1).all():
            index = tags - self.tags[0]
            return np.where((index >= 0) & (index < n), index, -1)
        order = np.argsort(self.tags)
        place = np.minimum(np.searchsorted(self.tags, tags, sorter=order), n - 1)
        return np.where(self.tags[order[place]] == tags, order[place], -1) if n else np.full_like(tags, -1)


@dataclass(frozen=True, eq=False)
class Block:
    """Elements of one type on one entity; ``nodes`` (k, n) are node indices in VTK order."""

    entity: int
    cell: Cell
    degree: int
    nodes: np.ndarray


def read_names(file: MshFile) -> dict[tuple[int, int], str]:
    """Return (dimension, physical tag) -> name.

    Raises
    ------
    InputError
        If a line is not ``dimension tag "name"``, or if there are fewer or more than the section says.
    """
    names: dict[tuple[int, int], str] = {}
    span = file.section("PhysicalNames")
    if span is None:
        return names
    first, *lines = file.data[slice(*span)].decode(errors="replace").split("\n")[:-1] or [""]
    top = file.line(span[0])
    for number, line in enumerate(lines, start=1):
        found = _NAME.fullmatch(line)
        if found is None:
            message = f'expected: dimension tag "name", found {line!r}'
            raise InputError(f"{file.path}:{top + number}: {message}")
        names[int(found[1]), int(found[2])] = found[3] or found[4]
    if first.strip() != str(len(lines)) or len(names) < len(lines):
        raise InputError(
            f"{file.path}:{top}: {first.strip()} groups are announced, and {len(names)} have names"
        )
    return names


def read_entities(file: MshFile) -> Entities:
    """Return the entities; the pieces into which Gmsh has cut them for partitions stand beside them."""
    groups: dict[Key, list[int]] = {}
    partitions: dict[Key, list[int]] = {}
    if file.section("Entities") is not None:
        numbers = file.numbers("Entities")
        for dim, count in enumerate(numbers.sizes(4).tolist()):
            for _ in range(count):
                tag = int(numbers.ints(1)[0])
                groups[dim, tag] = _tags_of_groups(numbers, dim)
        numbers.end()
    if file.section("PartitionedEntities") is not None:
        numbers = file.numbers("PartitionedEntities")
        n_ghosts = int(numbers.sizes(2)[1])
        # ghost entities repeat elements of neighbours by number only, in a section of their own
        numbers.ints(2 * n_ghosts)
        for dim, count in enumerate(numbers.sizes(4).tolist()):
            for _ in range(count):
                tag, parent_dim, parent = numbers.ints(3).tolist()
                partitions[dim, tag] = _counted_ints(numbers).tolist()
                own = _tags_of_groups(numbers, dim)
                # a cut between partitions has a parent of higher dimension, whose groups are not its own
                groups[dim, tag] = own or (groups.get((dim, parent), []) if parent_dim == dim else [])
        numbers.end()
    return Entities(groups, partitions)


def _tags_of_groups(numbers: Numbers, dim: int) -> list[int]:
    """Return the physical tags of the entity whose place comes next."""
    # a point has its coordinates here, everything else its bounding box
    numbers.reals(3 if dim == 0 else 6)
    tags: list[int] = np.abs(_counted_ints(numbers)).tolist()
    # the entities that bound this one; not needed
    if dim > 0:
        _counted_ints(numbers)
    return tags


def ghosts_of(file: MshFile) -> set[int]:
    """Return the partitions to which the file gives ghost elements."""
    found: set[int] = set()
    if file.section("GhostElements") is not None:
        numbers = file.numbers("GhostElements")
        for _ in range(int(numbers.sizes(1)[0])):
            # the element and its own partition come first
            numbers.sizes(1)
            numbers.ints(1)
            found.update(_counted_ints(numbers).tolist())
        numbers.end()
    return found


def _counted_ints(numbers: Numbers) -> np.ndarray:
    return numbers.ints(int(numbers.sizes(1)[0]))


def read_nodes(file: MshFile) -> Nodes:
    """Return all nodes.

    Raises
    ------
    InputError
        If there are fewer or more than the section says, if two have one tag, or if a coordinate is no
        number.
    """
    numbers = file.numbers("Nodes")
    tags, points = [np.empty(0, np.int64)], [np.empty((0, 3))]
    n_blocks, n_nodes = numbers.sizes(4)[:2].tolist()
    for n, width in node_blocks(numbers, n_blocks):
        tags.append(numbers.sizes(n))
        points.append(coordinates(numbers, n, width, tags[-1]))
    nodes = Nodes(np.concatenate(tags), np.concatenate(points))
    numbers.end("node", n_nodes, len(nodes.tags))
    _distinct(numbers, "node", nodes.tags)
    return nodes


def node_blocks(numbers: Numbers, n_blocks: int) -> Iterator[tuple[int, int]]:
    """Yield numbers of nodes, and of entries per node, of blocks whose tags and coordinates come next."""
    for _ in range(n_blocks):
        dim, _, parametric = numbers.ints(3).tolist()
        # parametric nodes carry u (v (w)) behind x y z
        yield int(numbers.sizes(1)[0]), 3 + (dim if parametric else 0)


def coordinates(numbers: Numbers, n: int, width: int, tags: np.ndarray | None = None) -> np.ndarray:
    """Return the coordinates (n, 3) that come next; ``tags`` name the nodes in the refusal of odd ones."""
    rows = numbers.reals(n * width).reshape(n, width)[:, :3]
    odd = ~np.isfinite(rows).all(axis=1)
    if odd.any():
        row = int(np.argmax(odd))
        node = "a node" if tags is None else f"node {tags[row]}"
        raise numbers.fail(
            f"{node} lies at {at(rows[row])}: a coordinate is no number", (n - row) * width - 1
        )
    return rows


def at(x: np.ndarray) -> str:
    """Return a position as text."""
    return "(" + ", ".join(f"{v:.6g}" for v in x) + ")"


def _distinct(numbers: Numbers, what: str, tags: np.ndarray) -> None:
    """Refuse two nodes or elements of one tag."""
    # ascending tags, the usual case, need no sort
    if not (np.diff(tags) > 0).all():
        tag, count = np.unique(tags, return_counts=True)
        if (count > 1).any():
            raise numbers.fail(f"{what} {tag[np.argmax(count > 1)]} is there twice")


def read_elements(file: MshFile, nodes: Nodes) -> list[Block]:
    """Return the element blocks of dimension 0 to 3.

    Raises
    ------
    InputError
        If an element type is not supported, if an element names a node that does not exist, or if there are
        fewer or more elements than the section says.
    """
    numbers = file.numbers("Elements")
    blocks, tags = [], [np.empty(0, np.int64)]
    n_blocks, n_elements = numbers.sizes(4)[:2].tolist()
    for _ in range(n_blocks):
        dim, entity, kind = numbers.ints(3).tolist()
        cell, degree = supported(numbers, kind)
        n = int(numbers.sizes(1)[0])
        if cell.dim != dim:
            raise numbers.fail(f"element type {kind} is a {cell.name}, which has not the dimension {dim}")
        # a row is the element's tag and its nodes
        width = cell.n_nodes(degree) + 1
        rows = numbers.sizes(n * width).reshape(n, width)
        index = nodes.find(rows[:, 1:])
        _require_nodes(numbers, rows, index)
        tags.append(rows[:, 0])
        blocks.append(Block(entity, cell, degree, index[:, cell.gmsh_order[degree]]))
    every = np.concatenate(tags)
    numbers.end("element", n_elements, len(every))
    _distinct(numbers, "element", every)
    return blocks


def _require_nodes(numbers: Numbers, rows: np.ndarray, index: np.ndarray) -> None:
    """Refuse elements, rows (n, width) read last, with nodes that are not there."""
    n, width = rows.shape
    if (index < 0).any():
        element, node = np.argwhere(index < 0)[0]
        # all rows are read already: go back to the row with the bad node
        back = (n - element) * width - 1
        tag, missing = rows[element, 0], rows[element, node + 1]
        raise numbers.fail(f"element {tag} names node {missing}, which the file does not contain", back)


def at_element(file: MshFile, volume: str, number: int, message: str) -> InputError:
    """Return an error at the row of element ``number`` (from 0) among those of a cell type."""
    numbers = file.numbers("Elements")
    for _ in range(int(numbers.sizes(4)[0])):
        kind = int(numbers.ints(3)[2])
        n = int(numbers.sizes(1)[0])
        cell, degree = gmsh_types()[kind]
        width = cell.n_nodes(degree) + 1
        rows = numbers.sizes(n * width).reshape(n, width)
        if cell.name != volume:
            continue
        if number < n:
            return numbers.fail(f"element {rows[number, 0]} {message}", (n - number) * width - 1)
        number -= n
    raise AssertionError("cells are numbered block after block")


def at_node(file: MshFile, number: int, message: str) -> InputError:
    """Return an error at the coordinates of node ``number`` (from 0) of the file."""
    numbers = file.numbers("Nodes")
    for n, width in node_blocks(numbers, int(numbers.sizes(4)[0])):
        tags = numbers.sizes(n)
        numbers.reals(n * width)
        if number < n:
            return numbers.fail(f"node {tags[number]} {message}", (n - number) * width - 1)
        number -= n
    raise AssertionError("nodes are numbered block after block")


def mixed(file: MshFile, kinds: Iterable[tuple[str, int]]) -> str:
    """Return what is said of a mesh of several cell types, each with its order."""
    names = " and ".join(f"{cell} of degree {degree}" for cell, degree in kinds)
    return f"{file.path}: cells must be of one type, the mesh mixes {names}"


def supported(numbers: Numbers, kind: int) -> tuple[Cell, int]:
    """Return cell and degree of an element type.

    Raises
    ------
    InputError
        With the way out, if there are no cells of this type.
    """
    if kind not in gmsh_types():
        raise numbers.fail(f"element type {kind}{_named(kind)} is not supported{_way_out(kind)}")
    return gmsh_types()[kind]


def _named(kind: int) -> str:
    return f", {_NAMES[kind]}," if kind in _NAMES else ""


def _way_out(kind: int) -> str:
    """Return how to get elements that are."""
    if kind in _INCOMPLETE:
        return "; " + _INCOMPLETE[kind]
    if kind in _NAMES:
        return f": cells are {_SUPPORTED}; {_OTHERS}"
    return f": cells are {_SUPPORTED}, of first or second order (Mesh.ElementOrder)"


def read_periodic(file: MshFile, nodes: Nodes) -> np.ndarray:
    """Return pairs of node indices (k, 2) that the file declares to be periodic images."""
    pairs = [np.empty((0, 2), dtype=np.int64)]
    if file.section("Periodic") is not None:
        numbers = file.numbers("Periodic")
        for _ in range(int(numbers.sizes(1)[0])):
            # dimension, entity and master entity; the affine map follows, then the node pairs
            numbers.ints(3)
            numbers.reals(int(numbers.sizes(1)[0]))
            pairs.append(nodes.find(numbers.sizes(2 * int(numbers.sizes(1)[0]))).reshape(-1, 2))
    every = np.concatenate(pairs)
    return every[(every >= 0).all(axis=1)]
