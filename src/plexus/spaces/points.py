"""What an integrand sees: lazily computed samples of fields and geometry on a batch of cells or facets.

A `CellSet` is a list of cells of the mesh; a `PointBatch` is a slice of a cell set seen through a
`plexus.spaces.rule.Rule` and implements `plexus.protocols.Point`.
Facets are cells seen through a rule whose points lie on one local facet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any
from weakref import proxy

import numpy as np

from plexus.devices.bridge import Bridge
from plexus.errors import InputError
from plexus.fields.arrays import einsum
from plexus.mesh.mesh import Mesh
from plexus.protocols import NOTHING, Sample, Since
from plexus.protocols.controls import Control
from plexus.spaces.lagrange import Space
from plexus.spaces.means import mean_gradients
from plexus.spaces.names import region_cells
from plexus.spaces.quadrature_space import QuadratureSpace
from plexus.spaces.rule import Rule, cell_rule

Array = Any
MOST = 2**17
"""Points of a cell set up to which geometry and samples that no time changes are kept: 20 numbers each."""
Room = Space | QuadratureSpace | Control
"""What rows of values stand for."""


class CellSet:
    """Some cells of a mesh (all for ``index`` None), with connectivity gathered once; a slice copies nothing.

    With ``keep`` (on tensors in host memory) geometry at points is computed once, worth its memory where the
    same cells are sampled many times, and fields are sampled by the kernels for arrays, see
    `plexus.spaces.sampled`.

    Spaces of one degree on one mesh number their nodes equally, so the degree names a connectivity.
    """

    def __init__(
        self, mesh: Mesh, bridge: Bridge, index: np.ndarray | slice | None = None, keep: bool = False
    ):
        self.mesh, self.bridge, self.index = mesh, bridge, index
        self.kept: dict[tuple[Rule, int], tuple[Array, Array, Array]] | None = {} if keep else None
        self.points = bridge.array(mesh.points)
        self.cells = bridge.array(self._pick(mesh.cells))
        self.one = bridge.array(np.ones((1, 1)))
        self._nodes: dict[int, Array] = {}
        self._means: dict[int, Array] = {}
        self._still: dict[tuple[Rule, int, int], PointBatch] = {}
        self._masks: dict[str, Array] = {}

    def __len__(self) -> int:
        """Return the number of cells."""
        return len(self.cells)

    def nodes(self, space: Space) -> Array:
        """Return the space's local nodes of the cells, (C, n)."""
        if space.degree not in self._nodes:
            self._nodes[space.degree] = self.bridge.array(self._pick(space.cell_nodes))
        return self._nodes[space.degree]

    def mean_gradients(self, space: Space) -> Array:
        """Return what makes means of gradients of nodal values, (C, n, d), see `plexus.spaces.means`."""
        if space.degree not in self._means:
            self._means[space.degree] = self.bridge.array(self._pick(mean_gradients(space)))
        return self._means[space.degree]

    def still(self, part: slice, rule: Rule, values: Values) -> PointBatch | None:
        """Return points with their geometry and samples that no time changes, kept where there is room.

        None of tensors, whose samples are parts of one graph each.
        """
        if not isinstance(self.points, np.ndarray):
            return None
        known = {n: a for n, a in values.fields.items() if getattr(a[0], "still", False)}
        key = rule, part.start, part.stop
        found = self._still.get(key)
        if found is None or not found.made_of(known):
            found = PointBatch(self, part, rule, 0.0, Values(known))
            if len(self) * len(rule.weights) <= MOST:
                self._still[key] = found
        return found

    def mask(self, region: str) -> Array:
        """Return whether each cell lies in a region, (C, 1) bool."""
        cells = region_cells(self.mesh, region)
        if region not in self._masks:
            inside = np.zeros((self.mesh.n_cells, 1), dtype=bool)
            inside[cells] = True
            self._masks[region] = self.bridge.array(self._pick(inside))
        return self._masks[region]

    def local(self, part: slice) -> slice | np.ndarray:
        """Return the local cells of the mesh that a slice of the set holds."""
        if isinstance(self.index, slice):
            first = self.index.start or 0
            return slice(first + part.start, first + part.stop)
        return part if self.index is None else self.index[part]

    def _pick(self, array: np.ndarray) -> np.ndarray:
        return array if self.index is None else np.ascontiguousarray(array[self.index])


class FieldSample:
    """Value and gradient of one field at the points of a batch, at first access."""

    def __init__(self, batch: PointBatch, space: Space, array: Array):
        self._batch, self._space, self._array = batch, space, array

    @cached_property
    def _both(self) -> tuple[Array, Array]:
        b = self._batch
        tables, nodes = b.rule.tables(self._space.element), b.cells.nodes(self._space)[b.part]
        where = b.cells.points, b.cells.cells[b.part], tables, nodes
        if b.cells.kept is None:
            return b.kernels.sample(*where, self._array)
        from plexus.spaces.sampled import Sampled

        return Sampled.apply(self._array, *where, b.volumes)

    @cached_property
    def value(self) -> Array:
        """Value, (C, Q) for a scalar field, (C, Q, m) for a vector."""
        b = self._batch
        if "_both" in self.__dict__ or b.cells.kept is not None:
            found = self._both[0]
        else:
            # gradients need the geometry of every cell and cost some five times as much
            tables, nodes = b.rule.tables(self._space.element), b.cells.nodes(self._space)[b.part]
            found = b.kernels.interpolate(tables, nodes, self._array)
        return _scalar(found) if self._space.scalar else found

    @cached_property
    def grad(self) -> Array:
        """Gradient, (C, Q, d) for a scalar field, (C, Q, m, d) for a vector."""
        return _scalar(self._both[1]) if self._space.scalar else self._both[1]

    def strain(self, change: Array | float, even: bool) -> Array | None:
        """Return sym ∇u + ``change`` (C|1, Q|1) I of a displacement in a solid, (C, Q, 3, 3), in one pass.

        If ``even``, div u is its mean over the cell, as in `PointBatch.mean_divergence`. None where no kernel
        does that.
        """
        b, space = self._batch, self._space
        kernel = getattr(b.kernels, "strain", None)
        if kernel is None or b.cells.kept is not None or not b.dim == space.components == 3:
            return None
        part, nodes = b.part, b.cells.nodes(space)[b.part]
        factors = b.cells.mean_gradients(space)[part] if even else None
        where = b.cells.points, b.cells.cells[part], b.rule.tables(space.element), nodes
        found: Array = kernel(*where, self._array, change * b.one, factors)
        return found


def _scalar(array: Array) -> Array:
    """Return (C, Q, 1, ...) without the axis of components, a view whose gradient costs nothing."""
    return array.reshape(*array.shape[:2], *array.shape[3:])


class StoredSample:
    """Internal variable at the points of a batch: as stored, or elsewhere from values at the nodes."""

    def __init__(self, batch: PointBatch, space: QuadratureSpace, rows: Array):
        self._batch, self._space, self._rows = batch, space, rows

    @cached_property
    def value(self) -> Array:
        """Value, (C, Q) for a scalar, (C, Q, m) for a vector or tensor.

        Raises
        ------
        InputError
            Elsewhere, of tensors that keep a graph.
        """
        b, space = self._batch, self._space
        if space.stores(b.rule):
            value = space.by_cell(self._rows)[b.cells.local(b.part)]
            return value[:, :, 0] if space.scalar else value
        if getattr(self._rows, "requires_grad", False):
            raise InputError(
                "what the material remembers has a gradient at the points of its own integrals only, not on "
                "boundaries or at places: take an integral or a mean over cells"
            )
        nodal = b.cells.bridge.array(space.at_nodes(b.cells.bridge.host(self._rows)))
        return FieldSample(b, space.nodes, nodal).value

    @property
    def grad(self) -> Array:
        """Refuse: nothing is known between the points."""
        raise AttributeError("internal variables have no gradient")


class _Lazy(Mapping[str, Any]):
    """Read-only mapping whose values are made at first access."""

    def __init__(self, names: Mapping[str, Any], make: Callable[[str], Any]):
        self._names, self._make, self._made = names, make, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True)
class Values:
    """What a batch may sample: fields and controls by name, which is the unknown, its rate, the memory."""

    fields: Mapping[str, tuple[Room, Array]]
    own: str | None = None
    rate: Array | None = None
    since: Since = NOTHING

    @classmethod
    def present(cls, fields: Mapping[str, tuple[Room, Array]]) -> Values:
        """Return the values of a present state: its internal variables are those that were before."""
        stored = {name: rows for name, (s, rows) in fields.items() if isinstance(s, QuadratureSpace)}
        return cls(fields, since=Since(0.0, stored))


class PointBatch:
    """Implementation of `plexus.protocols.Point` for cells ``part`` of a cell set seen through a rule.

    ``like`` are the same points, with those samples only that no time changes: these and geometry are theirs.
    """

    def __init__(
        self,
        cells: CellSet,
        part: slice,
        rule: Rule,
        t: float,
        values: Values,
        behind: tuple[CellSet, Rule] | None = None,
        like: PointBatch | None = None,
    ):
        self.cells, self.part, self.rule, self.t, self._behind = cells, part, rule, t, behind
        self._like, self._seen = like, dict[Rule, PointBatch]()
        self.kernels, self.dim = cells.bridge.kernels, cells.mesh.dim
        self._values = values
        self.dt, self.small = values.since.dt, cells.mesh.small
        # samples know the batch weakly: all of it is freed with it, not when cycles are collected
        own = proxy(self)
        self.fields: Mapping[str, Sample] = _Lazy(values.fields, partial(PointBatch._sample, own))
        self.before: Mapping[str, Array] = _Lazy(values.since.before, partial(PointBatch._remembered, own))
        self.regions: Mapping[str, Array] = _Lazy(cells.mesh.regions, lambda name: cells.mask(name)[part])

    def _sample(self, name: str) -> Sample:
        space, array = self._values.fields[name]
        if self._like is not None and name in self._like.fields:
            return self._like.fields[name]
        if isinstance(space, QuadratureSpace):
            return StoredSample(self, space, array)
        return FieldSample(self, space, array) if isinstance(space, Space) else space.sample(self, array)

    def made_of(self, fields: Mapping[str, tuple[Room, Array]]) -> bool:
        """Return whether the samples are those of these arrays; a control that was changed is another one."""
        own = self._values.fields
        return own.keys() == fields.keys() and all(own[n][1] is array for n, (_, array) in fields.items())

    def _remembered(self, name: str) -> Array:
        space = self._values.fields[name][0]
        assert isinstance(space, QuadratureSpace)
        return StoredSample(self, space, self._values.since.before[name]).value

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells and of points per cell."""
        return len(self.cells.cells[self.part]), len(self.rule.weights)

    @property
    def one(self) -> Array:
        """The number one as a (1, 1) array of the batch's kind."""
        return self.cells.one

    @cached_property
    def inside(self) -> PointBatch:
        """The same cells at the points of the forms, this batch itself if those are its points."""
        rule = cell_rule(self.cells.mesh, 2 * self.element[0])
        if rule.points is self.rule.points:
            return self
        like = None if self._like is None else self._like.seen(rule)
        return PointBatch(self.cells, self.part, rule, self.t, self._values, like=like)

    def seen(self, rule: Rule) -> PointBatch:
        """Return the same cells at the points of another rule, made once."""
        if rule not in self._seen:
            like = None if self._like is None else self._like.seen(rule)
            self._seen[rule] = PointBatch(self.cells, self.part, rule, self.t, self._values, like=like)
        return self._seen[rule]

    def alone(self, cell: int) -> PointBatch:
        """Return one of the cells with its points."""
        start = self.part.start + cell
        return PointBatch(self.cells, slice(start, start + 1), self.rule, self.t, self._values, self._behind)

    def mean_divergence(self, name: str) -> Array:
        """Return the mean divergence of a vector field over each cell, by the points of `inside`, (C, 1)."""
        space, array = self._values.fields[name]
        assert isinstance(space, Space)
        factors = self.cells.mean_gradients(space)[self.part]
        return einsum("cna,cna->c", array[self.cells.nodes(space)[self.part]], factors)[:, None]

    @cached_property
    def other(self) -> PointBatch:
        """The same points of facets inside the body, seen from the cells behind them."""
        if self._behind is None:
            raise AttributeError("only facets with cells on both sides have another side")
        cells, rule = self._behind
        found = PointBatch(cells, self.part, rule, self.t, self._values)
        found.other = self
        return found

    @property
    def element(self) -> tuple[int, bool]:
        """Degree of the elements, and whether they are simplices."""
        spaces = (space for space, _ in self._values.fields.values())
        return next(s.degree for s in spaces if isinstance(s, Space)), self.cells.mesh.reference.simplex

    @cached_property
    def _geometry(self) -> tuple[Array, Array, Array]:
        if self._like is not None:
            return self._like._geometry
        tables, kept, key = (
            self.rule.tables(self.rule.geometry),
            self.cells.kept,
            (self.rule, self.part.start),
        )
        if kept is not None and key in kept:
            return kept[key]
        found: tuple[Array, Array, Array]
        found = self.kernels.geometry(self.cells.points, self.cells.cells[self.part], tables)
        if kept is not None:
            kept[key] = found
        return found

    @property
    def x(self) -> Array:
        """Coordinates (C, Q, d) [m]."""
        return self._geometry[0]

    @property
    def volumes(self) -> Array:
        """Weights of integration over the cells, (C, Q), on facets too."""
        return self._geometry[1]

    @property
    def grad_map(self) -> Array:
        """J⁻¹ = ∂ξ/∂x, (C, Q, d, d)."""
        return self._geometry[2]

    @property
    def _own(self) -> Sample:
        if self._values.own is None:
            raise AttributeError("this integral has no own unknown: use `fields`")
        return self.fields[self._values.own]

    @property
    def u(self) -> Array:
        """The equation's own unknown, (C, Q) or (C, Q, m)."""
        return self._own.value

    @property
    def grad(self) -> Array:
        """Gradient of the own unknown, (C, Q, d) or (C, Q, m, d)."""
        return self._own.grad

    @cached_property
    def rate(self) -> Array:
        """Time derivative of the own unknown, shaped as ``u``; zeros in a steady solve."""
        if self._values.rate is None:
            return 0.0 * self.u
        assert self._values.own is not None
        space, _ = self._values.fields[self._values.own]
        assert isinstance(space, Space)
        return FieldSample(self, space, self._values.rate).value

    @cached_property
    def _normal(self) -> tuple[Array, Array]:
        """Unit normal and area ratio: n ds = |det J| J⁻ᵀ N dS for the reference normal N."""
        if self.rule.direction is None:
            raise AttributeError("points inside cells have no normal")
        n = self.cells.bridge.array(self.rule.direction) @ self.grad_map
        length = (n * n).sum(-1) ** 0.5
        return n / length[..., None], length

    @property
    def normal(self) -> Array:
        """Outward unit normal (C, Q, d); only on facets."""
        return self._normal[0]

    @cached_property
    def jxw(self) -> Array:
        """Integration weights (C, Q): volume in cells, area on facets."""
        return self.volumes if self.rule.direction is None else self.volumes * self._normal[1]


def batches(
    cells: CellSet,
    rule: Rule,
    size: int,
    t: float,
    values: Values,
    behind: tuple[CellSet, Rule] | None = None,
) -> Iterator[PointBatch]:
    """Yield the cell set in batches of at most ``size`` cells; ``behind`` is the other side of facets."""
    for start in range(0, len(cells), size):
        part = slice(start, min(start + size, len(cells)))
        yield PointBatch(cells, part, rule, t, values, behind, cells.still(part, rule, values))
