"""Structured boxes built on every rank from index arithmetic alone, without communication.

The box is a lattice of n_x (· n_y (· n_z)) cubes; each cube is one line, quadrilateral or hexahedron, or is
cut along its main diagonals into 2 triangles or 6 tetrahedra (Kuhn's subdivision, one simplex per order of
the axes), so that neighbouring cubes match. Ranks own blocks of cubes. Points lie on a lattice with
``degree`` steps per cube; numbers run with x fastest, cell number = cube number · cells per cube + k.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from plexus.mesh.cells import reference
from plexus.mesh.mesh import EXTERIOR, Mesh

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

SIDES = (("left", "right"), ("bottom", "top"), ("back", "front"))
"""Names of the lower and upper boundary per axis."""


@dataclass(frozen=True)
class Axis:
    """One axis of one rank: the cubes it holds along it, owned ones first, and the points they use.

    ``cubes`` (L,) cube indices; ``points`` (M,) sorted lattice indices; ``place`` (L, degree+1) position
    in ``points`` of each cube's lattice steps; ``touch`` (L, 2) whether the cube's lower and upper end
    lie in the closure of the owned range; ``owner`` (L,) block number along the axis.
    """

    n: int
    cubes: np.ndarray
    n_owned: int
    points: np.ndarray
    place: np.ndarray
    touch: np.ndarray
    owner: np.ndarray


@lru_cache
def cube_cells(name: str) -> np.ndarray:
    """Return the vertices in {0, 1}^d of the cells that make up one cube, (s, v, d), right-handed."""
    cell = reference(name)
    if not cell.simplex:
        # a quadrilateral or hexahedron is the cube itself
        return cell.vertices[None].astype(int)
    steps = np.eye(cell.dim, dtype=int)
    orders = [list(p) for p in permutations(range(cell.dim))]
    # simplex of an order of axes: walk from corner 0 to corner 1…1 along the axes in that order
    paths = [np.vstack([0 * steps[:1], np.cumsum(steps[p], axis=0)]) for p in orders]
    turned = cell.reversal(1)
    return np.array([p if np.linalg.det(p[1:] - p[0]) > 0 else p[turned] for p in paths])


@lru_cache
def cube_nodes(name: str, degree: int) -> np.ndarray:
    """Return the lattice steps in {0..degree}^d of the nodes of a cube's cells, (s, n, d)."""
    cell, vertices = reference(name), cube_cells(name)
    if not cell.simplex:
        return np.rint(degree * cell.nodes(degree)).astype(int)[None]
    xi = cell.nodes(degree)
    # affine map of the simplex: v_0 + Σ ξ_k (v_k − v_0), times degree
    steps = vertices[:, :1] + np.einsum("nk,skd->snd", xi, vertices[:, 1:] - vertices[:, :1])
    return np.rint(degree * steps).astype(int)


def split(size: int, cubes: tuple[int, ...], periodic: tuple[bool, ...]) -> tuple[int, ...]:
    """Return the blocks per axis whose product is ``size`` and whose cut surface is smallest.

    Axes with fewer cubes than blocks are avoided if possible; otherwise some ranks own nothing.
    """

    def cost(blocks: tuple[int, ...]) -> tuple[int, int]:
        total = int(np.prod(cubes))
        # b blocks make b − 1 cuts, b on a periodic axis, of total/n cube faces each
        cuts = [(b - (not p)) * total // n for b, n, p in zip(blocks, cubes, periodic, strict=True) if b > 1]
        return sum(b > n for b, n in zip(blocks, cubes, strict=True)), sum(cuts)

    return min(_factors(size, len(cubes)), key=cost)


def _factors(size: int, parts: int) -> list[tuple[int, ...]]:
    if parts == 1:
        return [(size,)]
    divisors = [b for b in range(1, size + 1) if size % b == 0]
    return [(*rest, b) for b in divisors for rest in _factors(size // b, parts - 1)]


def axis_part(n: int, blocks: int, block: int, degree: int, periodic: bool) -> Axis:
    """Return what the given block holds along an axis of ``n`` cubes cut into ``blocks``."""
    starts = np.arange(blocks + 1) * n // blocks
    first, last = starts[block], starts[block + 1]
    owned = np.arange(first, last)
    around = np.array([first - 1, last] if len(owned) else [], dtype=int)
    # the cubes before and after the block, wrapped or clipped at the ends of the axis
    around = around % n if periodic else around[(around >= 0) & (around < n)]
    # with few blocks on a periodic axis both neighbours may be one cube, or an owned one
    ghosts = np.setdiff1d(around, owned)
    cubes = np.concatenate([owned, ghosts])
    lattice = degree * cubes[:, None] + np.arange(degree + 1)
    points, place = np.unique(lattice, return_inverse=True)
    ends = cubes[:, None] + np.arange(2)
    # lattice planes that touch an owned cube; plane n is plane 0 on a periodic axis
    closure = np.arange(first, last + 1)
    touch = np.isin(ends % n, closure % n) if periodic else np.isin(ends, closure)
    owner = np.searchsorted(starts, cubes, side="right") - 1
    return Axis(n, cubes, len(owned), points, place.reshape(lattice.shape), touch, owner)


def build_box(
    comm: Comm, name: str, degree: int, ticks: list[np.ndarray], periodic: tuple[bool, ...]
) -> Mesh:
    """Build this rank's part of a box with cells ``name`` on the tensor grid of ``ticks``.

    ``ticks[a]`` are the degree·n_a + 1 ascending lattice coordinates along axis a [m].
    """
    counts = tuple((len(t) - 1) // degree for t in ticks)
    blocks = split(comm.size, counts, periodic)
    # rank = block_x + blocks_x (block_y + blocks_y block_z)
    mine = np.unravel_index(comm.rank, blocks[::-1])[::-1]
    parts = zip(counts, blocks, mine, periodic, strict=True)
    axes = [axis_part(n, b, int(m), degree, p) for n, b, m, p in parts]
    where, n_owned = _local_cubes(axes)
    return _Block(comm, name, degree, axes, where, n_owned, blocks).mesh(ticks, periodic)


def _local_cubes(axes: list[Axis]) -> tuple[list[np.ndarray], int]:
    """Return per axis the index into ``Axis.cubes`` of every local cube, owned cubes first."""
    shape = tuple(len(a.cubes) for a in reversed(axes))
    # axes are reversed throughout so that x runs fastest in C order
    ghost = np.ones(shape, dtype=bool)
    ghost[tuple(slice(a.n_owned) for a in reversed(axes))] = False
    owned = np.indices([a.n_owned for a in reversed(axes)], dtype=np.int32).reshape(len(axes), -1)
    all_cubes = np.concatenate([owned, np.array(np.nonzero(ghost), dtype=np.int32)], axis=1)
    return list(all_cubes[::-1]), owned.shape[1]


@dataclass
class _Block:
    """The cubes of one rank on their way to a mesh; ``where`` indexes ``Axis.cubes`` per axis and cube."""

    comm: Comm
    name: str
    degree: int
    axes: list[Axis]
    where: list[np.ndarray]
    n_owned: int
    blocks: tuple[int, ...]

    def mesh(self, ticks: list[np.ndarray], periodic: tuple[bool, ...]) -> Mesh:
        """Return the mesh; cells of ghost cubes that touch no owned cube are left out."""
        s = len(cube_cells(self.name))
        kept = self._kept_ghosts()
        first = self.n_owned * s
        ghosts = self._cells(slice(self.n_owned, None))[kept]
        cells = np.concatenate([self._cells(slice(None, self.n_owned)), ghosts])
        # corners of the box of cubes that only dropped ghosts use are dropped as well
        used, cells = _compress(cells, self._n_points(), whole=len(kept) == 0)
        cube = self._number(lambda a, i: a.cubes[i], [a.n for a in self.axes])
        owner = self._rank_of_cube()
        cell_ids = (cube[:, None] * s + np.arange(s)).ravel()
        keep = np.concatenate([np.arange(first), first + kept])
        sides = self._sides(keep, periodic)
        union = np.concatenate([*sides.values(), np.empty((0, 2), np.int32)])
        outside = union[np.lexsort(union.T[::-1])]
        return Mesh(
            dim=len(self.axes), cell=self.name, geometry_degree=self.degree,
            points=self._coordinates(ticks)[used], cells=cells, n_owned_cells=first,
            point_ids=self._point_ids([False] * len(self.axes))[used],
            vertex_ids=self._point_ids(periodic)[used],
            cell_ids=cell_ids[keep], cell_owner=np.repeat(owner, s)[keep], outside=outside,
            n_global_cells=int(np.prod([a.n for a in self.axes])) * s, comm=self.comm,
            boundaries=sides | {EXTERIOR: outside},
        )  # fmt: skip

    def _n_points(self) -> int:
        return int(np.prod([len(a.points) for a in self.axes]))

    def _number(self, value: Callable[[Axis, np.ndarray], np.ndarray], sizes: list[int]) -> np.ndarray:
        """Return Σ stride·value(axis, local index) over the axes for every local cube, int64."""
        terms = zip(self.axes, self.where, _strides(sizes), strict=True)
        return np.sum([value(a, i).astype(np.int64) * stride for a, i, stride in terms], axis=0)

    def _rank_of_cube(self) -> np.ndarray:
        return self._number(lambda a, i: a.owner[i], list(self.blocks)).astype(np.int32)

    def _cells(self, cubes: slice) -> np.ndarray:
        """Return local lattice points of the cells of some cubes, (k·s, n) int32."""
        # per cube all (degree+1)^d lattice points: index = Σ stride·place, axis by axis
        corners = np.zeros((1, 1), dtype=np.int32)
        strides = _strides([len(a.points) for a in self.axes])
        for a, i, stride in zip(self.axes, self.where, strides, strict=True):
            step = (a.place[i[cubes]] * stride).astype(np.int32)
            width = step.shape[1] * corners.shape[1]
            corners = (step[:, :, None] + corners[:, None, :]).reshape(len(step), width)
        nodes = cube_nodes(self.name, self.degree)
        # node of a cell -> position among its cube's lattice points
        table = nodes @ np.array(_strides([self.degree + 1] * len(self.axes)))
        return np.take(corners, table.ravel(), axis=1).reshape(-1, nodes.shape[1])

    def _kept_ghosts(self) -> np.ndarray:
        """Return the cells, counted from the first ghost, that share a vertex with an owned cube."""
        # a corner touches an owned cube if it does so along every axis
        corners = np.ones((1, 1), dtype=bool)
        for a, i in zip(self.axes, self.where, strict=True):
            touch = a.touch[i[self.n_owned :]]
            corners = (touch[:, :, None] & corners[:, None, :]).reshape(len(touch), 2 * corners.shape[1])
        table = cube_cells(self.name) @ np.array(_strides([2] * len(self.axes)))
        return np.flatnonzero(corners[:, table].any(axis=2).ravel())

    def _coordinates(self, ticks: list[np.ndarray]) -> np.ndarray:
        used = [t[a.points] for t, a in zip(ticks, self.axes, strict=True)]
        grids = np.meshgrid(*used[::-1], indexing="ij")
        return np.stack([g.ravel() for g in grids[::-1]], axis=1)

    def _point_ids(self, wrap: Sequence[bool]) -> np.ndarray:
        """Return global lattice numbers of the local lattice points; wrapped axes identify their ends."""
        total = np.zeros(1, dtype=np.int64)
        sizes = [a.n * self.degree + 1 for a in self.axes]
        for a, stride, w in zip(self.axes, _strides(sizes), wrap, strict=True):
            # on a wrapped axis the last lattice plane has the numbers of the first
            index = a.points % (a.n * self.degree) if w else a.points
            total = (index.astype(np.int64)[:, None] * stride + total[None, :]).ravel()
        return total

    def _sides(self, keep: np.ndarray, periodic: tuple[bool, ...]) -> dict[str, np.ndarray]:
        """Return the facets on the sides of the box, sorted by cell."""
        s = len(cube_cells(self.name))
        # (cube, cell of the cube) -> local cell, −1 for dropped ghosts
        local = np.full(len(self.where[0]) * s, -1, dtype=np.int32)
        local[keep] = np.arange(len(keep), dtype=np.int32)
        found: dict[str, np.ndarray] = {}
        for axis, (a, i) in enumerate(zip(self.axes, self.where, strict=True)):
            for end in (0, 1) if not periodic[axis] else ():
                # the layer of cubes along this side
                cubes = np.flatnonzero(a.cubes[i] == end * (a.n - 1))
                pairs = side_facets(self.name, axis, end)
                cells = local[(cubes[:, None] * s + pairs[:, 0]).ravel()]
                facets = np.stack([cells, np.tile(pairs[:, 1], len(cubes))], axis=1)
                found[SIDES[axis][end]] = facets[cells >= 0].astype(np.int32)
        return found


@lru_cache
def side_facets(name: str, axis: int, end: int) -> np.ndarray:
    """Return the pairs (cell of the cube, facet) that lie on one side of a cube, (k, 2)."""
    on_side = (cube_cells(name)[..., axis] == end)[:, reference(name).facets].all(axis=2)
    return np.argwhere(on_side)


def _compress(cells: np.ndarray, n_points: int, whole: bool) -> tuple[slice | np.ndarray, np.ndarray]:
    """Return the used points and the cells renumbered to them; ``whole`` promises that all are used."""
    if whole and len(cells):
        return slice(None), cells
    used = np.zeros(n_points, dtype=bool)
    used[cells.ravel()] = True
    number = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(used), number[cells]


def _strides(sizes: Sequence[int]) -> list[int]:
    return [int(np.prod(sizes[:a], dtype=np.int64)) for a in range(len(sizes))]
