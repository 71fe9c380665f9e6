"""The sections of a Gmsh 4.1 file that describe a mesh: names, entities, nodes, elements, periodicity.

The layout is that of the Gmsh reference manual, section "MSH file format, version 4.1".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from plexus.errors import InputError
from plexus.mesh.cells import Cell, gmsh_types
from plexus.mesh.msh_numbers import MshFile, Numbers

_NAMES = {
    6: "6-node prism", 7: "5-node pyramid", 13: "18-node prism", 14: "14-node pyramid",
    16: "8-node quadrilateral (set Mesh.SecondOrderIncomplete = 0)",
    17: "20-node hexahedron (set Mesh.SecondOrderIncomplete = 0)", 18: "15-node prism", 19: "13-node pyramid",
}  # fmt: skip


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
        If a line is not ``dimension tag "name"``.
    """
    names: dict[tuple[int, int], str] = {}
    span = file.section("PhysicalNames") or (0, 0)
    lines = file.data[slice(*span)].decode(errors="replace").splitlines()
    for number, line in enumerate(lines[1:], start=1):
        words = line.split(None, 2)
        try:
            names[int(words[0]), int(words[1])] = words[2].strip().strip('"')
        except (IndexError, ValueError):
            message = f'expected: dimension tag "name", found {line!r}'
            raise InputError(f"{file.path}:{file.line(span[0]) + number}: {message}") from None
    return names


def read_entities(file: MshFile) -> dict[tuple[int, int], list[int]]:
    """Return (dimension, entity tag) -> physical tags; empty if the file has no entities."""
    if file.section("Entities") is None:
        return {}
    numbers = file.numbers("Entities")
    groups: dict[tuple[int, int], list[int]] = {}
    for dim, count in enumerate(numbers.sizes(4).tolist()):
        for _ in range(count):
            tag = int(numbers.ints(1)[0])
            # a point has its coordinates here, everything else its bounding box
            numbers.reals(3 if dim == 0 else 6)
            groups[dim, tag] = np.abs(_counted_ints(numbers)).tolist()
            # the entities that bound this one; not needed
            if dim > 0:
                _counted_ints(numbers)
    return groups


def _counted_ints(numbers: Numbers) -> np.ndarray:
    return numbers.ints(int(numbers.sizes(1)[0]))


def read_nodes(file: MshFile) -> Nodes:
    """Return all nodes."""
    numbers = file.numbers("Nodes")
    tags, points = [], []
    n_blocks = int(numbers.sizes(4)[0])
    for _ in range(n_blocks):
        dim, _, parametric = numbers.ints(3).tolist()
        n = int(numbers.sizes(1)[0])
        tags.append(numbers.sizes(n))
        # parametric nodes carry u (v (w)) behind x y z
        width = 3 + (dim if parametric else 0)
        points.append(numbers.reals(n * width).reshape(n, width)[:, :3])
    return Nodes(np.concatenate([np.empty(0, np.int64), *tags]), np.concatenate([np.empty((0, 3)), *points]))


def read_elements(file: MshFile, nodes: Nodes) -> list[Block]:
    """Return the element blocks of dimension 0 to 3.

    Raises
    ------
    InputError
        If an element type is not supported or an element names a node that does not exist.
    """
    numbers = file.numbers("Elements")
    blocks = []
    n_blocks = int(numbers.sizes(4)[0])
    for _ in range(n_blocks):
        _, entity, kind = numbers.ints(3).tolist()
        if kind not in gmsh_types():
            raise numbers.fail(f"element type {kind}{_named(kind)} is not supported")
        n = int(numbers.sizes(1)[0])
        cell, degree = gmsh_types()[kind]
        # a row is the element's tag and its nodes
        width = cell.n_nodes(degree) + 1
        rows = numbers.sizes(n * width).reshape(n, width)
        index = nodes.find(rows[:, 1:])
        if (index < 0).any():
            element, node = np.argwhere(index < 0)[0]
            # all rows are read already: go back to the row with the bad node
            back = (n - element) * width - 1
            tag, missing = rows[element, 0], rows[element, node + 1]
            raise numbers.fail(f"element {tag} names node {missing}, which the file does not contain", back)
        blocks.append(Block(entity, cell, degree, index[:, cell.gmsh_order[degree]]))
    return blocks


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


def _named(kind: int) -> str:
    return f", a {_NAMES[kind]}," if kind in _NAMES else ""


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
