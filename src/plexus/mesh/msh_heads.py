"""A quick look at a large Gmsh file: groups and sizes; of binary files also cell types and coordinates."""

from __future__ import annotations

from collections import Counter

import numpy as np

from plexus.errors import InputError
from plexus.mesh.cells import gmsh_types
from plexus.mesh.look import Look, about, extent
from plexus.mesh.mesh import EXTERIOR
from plexus.mesh.msh_numbers import BinaryNumbers, MshFile, TextNumbers
from plexus.mesh.msh_sections import (
    Entities,
    coordinates,
    mixed,
    node_blocks,
    read_entities,
    read_names,
    supported,
)


def heads(file: MshFile, form: str, scale: float) -> Look:
    """Return names and sizes of a mesh whose elements are not read; ``scale`` is the unit of its lengths [m].

    Raises
    ------
    InputError
        If a section is missing or cut off, if an element type is not supported, or if a coordinate is no
        number.
    """
    names, entities = read_names(file), read_entities(file)
    lines = {"mesh": about(file.path, form)}
    kinds: Counter[int] = Counter()
    used = {key: 1 for key in entities.groups}
    if file.binary:
        low, high, n_nodes = _nodes(file)
        kinds, used = _elements(file)
        lines["cells"] = _counted(kinds, n_nodes)
        dim = max(map(_dim, kinds), default=0)
        lines["extent"] = extent(low[:dim] * scale, high[:dim] * scale)
        lines["not seen"] = "which nodes the elements name, parts, shapes of cells: the run looks at them"
    else:
        n_nodes, n_elements = (_second(file, name) for name in ("Nodes", "Elements"))
        dim = max((d for d, _ in entities.groups), default=0)
        lines["size"] = f"{n_elements:,} elements of all dimensions, {n_nodes:,} nodes"
        lines["not seen"] = "cells, coordinates, parts: a large file of text; the run looks at them"
    found = sorted((gmsh_types()[kind][0].name, gmsh_types()[kind][1]) for kind in kinds if _dim(kind) == dim)
    if len(found) > 1:
        raise InputError(mixed(file, found))
    return Look(lines, None, *_named(names, entities, used, dim), kind=found[0] if found else None)


def _dim(kind: int) -> int:
    return gmsh_types()[kind][0].dim


def _second(file: MshFile, name: str) -> int:
    """Return the second number of a section, the count of what is in it."""
    span = file.section(name)
    if span is None:
        raise InputError(f"{file.path}: the file has no ${name} section; it is incomplete")
    stop = file.data.find(b"\n", span[0])
    numbers = TextNumbers(file.path, file.data[span[0] : max(stop, span[0])], file.line(span[0]))
    return int(numbers.sizes(4)[1])


def _nodes(file: MshFile) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the corners of the extent of all nodes, and their number."""
    numbers = file.numbers("Nodes")
    assert isinstance(numbers, BinaryNumbers)
    low, high, found = np.full(3, np.inf), np.full(3, -np.inf), 0
    n_blocks, n_nodes = numbers.sizes(4)[:2].tolist()
    for n, width in node_blocks(numbers, n_blocks):
        numbers.skip(n)
        rows = coordinates(numbers, n, width)
        low, high = (
            np.minimum(low, rows.min(axis=0, initial=np.inf)),
            np.maximum(high, rows.max(axis=0, initial=-np.inf)),
        )
        found += n
    numbers.end("node", n_nodes, found)
    return low, high, found


def _elements(file: MshFile) -> tuple[Counter[int], dict[tuple[int, int], int]]:
    """Return the numbers of elements by type, and by dimension and tag of their entity."""
    numbers = file.numbers("Elements")
    assert isinstance(numbers, BinaryNumbers)
    kinds: Counter[int] = Counter()
    used: Counter[tuple[int, int]] = Counter()
    n_blocks, n_elements = numbers.sizes(4)[:2].tolist()
    for _ in range(n_blocks):
        dim, entity, kind = numbers.ints(3).tolist()
        cell, degree = supported(numbers, kind)
        n = int(numbers.sizes(1)[0])
        numbers.skip(n * (cell.n_nodes(degree) + 1))
        kinds[kind] += n
        used[dim, entity] += n
    numbers.end("element", n_elements, sum(kinds.values()))
    return kinds, used


def _counted(kinds: Counter[int], n_nodes: int) -> str:
    types = {kind: gmsh_types()[kind] for kind in kinds}
    dim = max((cell.dim for cell, _ in types.values()), default=0)
    cells = [
        f"{kinds[kind]:,} {cell.name} cells of degree {degree}"
        for kind, (cell, degree) in types.items()
        if cell.dim == dim
    ]
    return f"{' and '.join(cells)}, {n_nodes:,} nodes"


def _named(
    names: dict[tuple[int, int], str], entities: Entities, used: dict[tuple[int, int], int], dim: int
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the names of regions, of boundaries and of what is below, as far as they have elements."""
    found: list[dict[str, None]] = [{}, {}, {}]
    for (d, tag), groups in entities.groups.items():
        if used.get((d, tag)) and d <= dim:
            found[min(dim - d, 2)].update(dict.fromkeys(names.get((d, g), str(g)) for g in groups))
    regions, boundaries, skeleton = found
    below = tuple(name for name in skeleton if name not in boundaries)
    return tuple(regions), tuple({**boundaries, EXTERIOR: None}), below
