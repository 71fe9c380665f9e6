"""Writes a body as a file of Gmsh (format 4.1, text), nodes and cells in any order, of order 1 or 2."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from oracles.shapes import Ends, Shape

SIDES = (("left", "right"), ("bottom", "top"), ("back", "front"))
CODES = {"point": 15, "line": 1, "triangle": 2, "quadrilateral": 3, "tetrahedron": 4, "hexahedron": 5}
CODES_2 = {"point": 15, "line": 8, "triangle": 9, "quadrilateral": 10, "tetrahedron": 11, "hexahedron": 12}
EDGES = {
    "point": (), "line": ((0, 1),), "triangle": ((0, 1), (1, 2), (2, 0)),
    "quadrilateral": ((0, 1), (1, 2), (2, 3), (3, 0)),
    "tetrahedron": ((0, 1), (1, 2), (2, 0), (3, 0), (3, 2), (3, 1)),
    "hexahedron": (
        (0, 1), (0, 3), (0, 4), (1, 2), (1, 5), (2, 3), (2, 6), (3, 7), (4, 5), (4, 7), (5, 6), (6, 7),
    ),
}  # fmt: skip
FACES = {
    "quadrilateral": ((0, 1, 2, 3),),
    "hexahedron": (
        (0, 3, 2, 1), (0, 1, 5, 4), (0, 4, 7, 3), (1, 2, 6, 5), (2, 3, 7, 6), (4, 5, 6, 7),
        (0, 1, 2, 3, 4, 5, 6, 7),
    ),
}  # fmt: skip
"""Corners between which a node of order 2 lies, in the order of Gmsh: on edges, then on faces, inside."""
FACETS = {"line": "point", "triangle": "line", "quadrilateral": "line", "tetrahedron": "triangle"}
CUBE = {1: ((0,), (1,)), 2: ((0, 0), (1, 0), (1, 1), (0, 1))}
CUBE[3] = tuple((*c, 0) for c in CUBE[2]) + tuple((*c, 1) for c in CUBE[2])  # type: ignore[index,assignment]
Cell = tuple[int, ...]
Block = tuple[int, str, str, list[Cell]]
"""Dimension, type of elements, name, elements of a group."""


def cells_of(body: Shape, draw: random.Random) -> list[tuple[Cell, int]]:
    """Return the nodes of every cell, and the number of its layer along x."""
    counts = [len(t) for t in body.ticks]
    number = np.arange(np.prod(counts)).reshape(counts)
    found = []
    for origin in itertools.product(*(range(n - 1) for n in counts)):
        corner = {c: int(number[tuple(np.add(origin, c))]) for c in CUBE[body.dim]}
        for nodes in _pieces(body, corner, draw):
            found.append((nodes, origin[0]))
    return found


def _pieces(body: Shape, corner: dict[tuple[int, ...], int], draw: random.Random) -> list[Cell]:
    if body.cell in ("line", "quadrilateral", "hexahedron"):
        return [tuple(corner.values())]
    if body.cell == "triangle":
        q = list(corner.values())
        if draw.random() < 0.5:
            q = q[1:] + q[:1]
        return [(q[0], q[1], q[2]), (q[0], q[2], q[3])]
    # six tetrahedra along the main diagonal, one per order of the axes
    found = []
    for order in itertools.permutations(range(3)):
        path, here = [corner[0, 0, 0]], [0, 0, 0]
        for axis in order:
            here[axis] = 1
            path.append(corner[tuple(here)])
        found.append(tuple(path))
    return found


def _facets(cell: str, nodes: Cell) -> list[Cell]:
    if cell == "line":
        return [(nodes[0],), (nodes[1],)]
    if cell in ("triangle", "quadrilateral"):
        return [(nodes[i], nodes[(i + 1) % len(nodes)]) for i in range(len(nodes))]
    if cell == "tetrahedron":
        return list(itertools.combinations(nodes, 3))
    n = nodes
    return [
        (n[0], n[1], n[2], n[3]), (n[4], n[5], n[6], n[7]), (n[0], n[1], n[5], n[4]),
        (n[3], n[2], n[6], n[7]), (n[0], n[3], n[7], n[4]), (n[1], n[2], n[6], n[5]),
    ]  # fmt: skip


def _turned(cell: str, nodes: Cell, draw: random.Random) -> Cell:
    """Return the same cell from another corner; simplices in any order, as right-handed as they come."""
    if cell in ("triangle", "quadrilateral"):
        k = draw.randrange(len(nodes))
        return nodes[k:] + nodes[:k]
    if cell == "tetrahedron":
        return tuple(draw.sample(nodes, 4))
    if cell == "hexahedron":
        k = draw.randrange(4)
        low, high = nodes[:4], nodes[4:]
        return low[k:] + low[:k] + high[k:] + high[:k]
    return nodes


def write(body: Shape, path: Path, scale: float, seed: int) -> None:
    """Write the file; sides, regions and the interface ``mid`` are its physical groups."""
    draw = random.Random(seed)
    counts = [len(t) for t in body.ticks]
    points = body.points(1) * scale
    points = np.pad(points, ((0, 0), (0, 3 - body.dim)))
    layers = cells_of(body, random.Random(body.seed))
    index = np.array(list(np.ndindex(*counts)))
    groups: dict[str, list[Cell]] = {name: [] for name in body.sides}
    if body.split is not None:
        groups["mid"] = []
    seen = set()
    for nodes, _ in layers:
        for facet in _facets(body.cell, nodes):
            key = tuple(sorted(facet))
            where = index[list(facet)]
            for axis in (i for i in range(body.dim) if i not in body.around):
                for end, name in zip((0, counts[axis] - 1), SIDES[axis], strict=True):
                    if (where[:, axis] == end).all():
                        groups[name].append(facet)
            if body.split is not None and (where[:, 0] == body.split).all() and key not in seen:
                seen.add(key)
                groups["mid"].append(facet)
    regions: dict[str, list[Cell]] = {}
    for nodes, layer in layers:
        name = "body" if body.split is None else "a" if layer < body.split else "b"
        regions.setdefault(name, []).append(_turned(body.cell, nodes, draw))
    facet = FACETS.get(body.cell, "quadrilateral")
    blocks: list[Block] = [(body.dim - 1, facet, name, cells) for name, cells in groups.items()]
    blocks += [(body.dim, body.cell, name, cells) for name, cells in regions.items()]
    blocks += [_edge(body, index, name, ends) for name, ends in body.edges]
    draw.shuffle(blocks)
    codes = CODES
    if body.order == 2:
        blocks, points = second(blocks, points)
        codes = CODES_2
    write_file(body.dim, path, points, blocks, codes, draw, _images(body, points / scale))


def _edge(body: Shape, index: np.ndarray, name: str, ends: Ends) -> Block:
    """Return the elements of a curve or a point."""
    counts = [len(t) for t in body.ticks]
    fits = [
        end is None or at == (counts[axis] - 1 if end else 0)
        for where in index
        for axis, (at, end) in enumerate(zip(where, ends, strict=True))
    ]
    nodes = np.flatnonzero(np.reshape(fits, index.shape).all(1)).tolist()
    if None not in ends:
        return 0, "point", name, [(nodes[0],)]
    # along the axis the numbers of the lattice rise
    return 1, "line", name, list(itertools.pairwise(nodes))


def _images(body: Shape, points: np.ndarray) -> list[tuple[int, int]]:
    """Return the nodes at upper ends of periodic axes, each with its image at the lower end."""
    xi = np.linalg.solve(np.array(body.matrix), points[:, : body.dim].T - np.array(body.shift)[:, None]).T
    low, high = (np.array([t[i] for t in body.ticks]) for i in (0, -1))
    places = np.round((xi - low) / (high - low), 9)
    there = {tuple(place): n for n, place in enumerate(places + 0.0)}
    found = []
    for axis in body.around:
        for n in np.flatnonzero(places[:, axis] == 1):
            found.append((int(n), there[tuple(np.where(np.arange(body.dim) == axis, 0.0, places[n]) + 0.0)]))
    return found


def middle_of(corners: np.ndarray) -> np.ndarray:
    """Return the mean of corners (n, 3)."""
    return corners.mean(0)


def second(
    blocks: list[Block], points: np.ndarray, mean: Callable[[np.ndarray], np.ndarray] = middle_of
) -> tuple[list[Block], np.ndarray]:
    """Return the elements with nodes in the middle of edges, faces and cells, and all nodes."""
    places, number = list(points), {}

    def middle(corners: Cell) -> int:
        key = tuple(sorted(corners))
        if key not in number:
            number[key] = len(places)
            places.append(mean(points[list(key)]))
        return number[key]

    found = []
    for dim, kind, name, cells in blocks:
        parts = (*EDGES[kind], *FACES.get(kind, ()))
        raised = [(*c, *(middle(tuple(c[i] for i in part)) for part in parts)) for c in cells]
        found.append((dim, kind, name, raised))
    return found, np.array(places)


def write_file(
    dim: int, path: Path, points: np.ndarray, blocks: list[Block], codes: dict[str, int], draw: random.Random,
    images: list[tuple[int, int]],
) -> None:  # fmt: skip
    """Write points (n, 3) and groups of elements; ``images`` are nodes that are one."""
    tags = draw.sample(range(1, 3 * len(points) + 1), len(points))
    entities: dict[int, list[int]] = {d: [] for d in range(4)}
    for i, (d, *_) in enumerate(blocks):
        entities[d].append(i + 1)
    lines = ["$MeshFormat", "4.1 0 8", "$EndMeshFormat", "$PhysicalNames", str(len(blocks))]
    lines += [f'{d} {i + 1} "{name}"' for i, (d, _, name, _) in enumerate(blocks)]
    lines += ["$EndPhysicalNames", "$Entities", " ".join(str(len(entities[d])) for d in range(4))]
    for d in range(4):
        box = "0 0 0" if d == 0 else "0 0 0 0 0 0"
        lines += [f"{tag} {box} 1 {tag}" + (" 0" if d else "") for tag in entities[d]]
    order = draw.sample(range(len(points)), len(points))
    home = entities[dim][0]
    lines += [
        "$EndEntities",
        "$Nodes",
        f"1 {len(points)} {min(tags)} {max(tags)}",
        f"{dim} {home} 0 {len(points)}",
    ]
    lines += [str(tags[i]) for i in order] + [" ".join(map(repr, points[i].tolist())) for i in order]
    total = sum(len(cells) for *_, cells in blocks)
    numbers = draw.sample(range(1, 2 * total + 1), total)
    lines += ["$EndNodes", "$Elements", f"{len(blocks)} {total} {min(numbers)} {max(numbers)}"]
    for i, (d, kind, _, cells) in enumerate(blocks):
        lines.append(f"{d} {i + 1} {codes[kind]} {len(cells)}")
        for nodes in draw.sample(cells, len(cells)):
            lines.append(" ".join(map(str, [numbers.pop(), *(tags[n] for n in nodes)])))
    lines.append("$EndElements")
    if images:
        lines += ["$Periodic", "1", f"{dim - 1} 1 1", "0", str(len(images))]
        lines += [f"{tags[n]} {tags[master]}" for n, master in images] + ["$EndPeriodic"]
    path.write_text("\n".join([*lines, ""]))
