"""Points of a grid at which laws are evaluated: middles of cells and faces, and means over them.

Means of given functions are sums over three Gauss points per axis, exact for polynomials of degree 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import torch

from plexus.protocols import Array, Sample
from plexus.spaces.controls import Controls, Sampled
from plexus.spaces.slabs import Slab

NODES = ((-(0.15**0.5), 5 / 18), (0.0, 4 / 9), (0.15**0.5, 5 / 18))
"""Gauss points in units of the spacing, and their weights."""


@dataclass(frozen=True)
class Where:
    """A part of the grid: own cells, or faces across an axis, with layers around.

    Attributes
    ----------
    layers : cells beyond the own ones per axis.
    normal : axis whose faces are meant; None for cells.
    end : only the faces on the lower (0) or upper (1) side.
    shift : displacement per axis in units of the spacing.
    """

    layers: tuple[int, ...]
    normal: int | None = None
    end: int | None = None
    shift: tuple[float, ...] = ()


class Place:
    """A `plexus.protocols.GridPoint` whose fields are the controls; unknowns come from the caller."""

    def __init__(self, places: Places, where: Where, t: float):
        self._places, self._where, self.t = places, where, t
        self.dim, self.one = places.slab.dim, places.one

    @cached_property
    def fields(self) -> Mapping[str, Sample]:
        """Control -> sample."""
        return self._places.given.at(self)

    def window(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values of a control at the places, from those of cells with layers around."""
        return self._places.window(values, self._where)

    @cached_property
    def x(self) -> torch.Tensor:
        """Coordinates (*places, d) [m]."""
        return self._places.coordinates(self._where)

    @cached_property
    def regions(self) -> Mapping[str, torch.Tensor]:
        """Region -> mask (*places)."""
        return _Regions(self._places.slab.grid.regions, self.x)


class _Regions(Mapping[str, torch.Tensor]):
    """Masks, computed when they are read."""

    def __init__(self, conditions: Mapping[str, Any], x: torch.Tensor):
        self.conditions, self._x = conditions, x

    def __getitem__(self, name: str) -> torch.Tensor:
        at = dict(zip("xyz", self._x.unbind(-1), strict=False))
        return torch.as_tensor(self.conditions[name](at)) != 0

    def __iter__(self) -> Iterator[str]:
        return iter(self.conditions)

    def __len__(self) -> int:
        return len(self.conditions)


class Places:
    """The places of one slab; coordinates are computed once.

    Parameters
    ----------
    slab
        Own cells of the grid.
    layers
        Cells beyond the own ones that places may reach.

    Attributes
    ----------
    given : controls at all places.

    Raises
    ------
    InputError
        If a slab is thinner than the layers.
    """

    def __init__(self, slab: Slab, layers: int):
        slab.require(layers)
        self.slab, self.layers, self.given = slab, max(layers, 1), Sampled(Controls())
        self.one = torch.ones((), dtype=torch.float64, device=slab.device)
        self._known: dict[Where, torch.Tensor] = {}

    def reading(self, given: Sampled) -> Places:
        """Return the same places with other values of controls."""
        other = copy(self)
        other.given = given
        return other

    def at(self, where: Where, t: float) -> Place:
        """Return the points of a part at a time."""
        return Place(self, where, t)

    def spread(self, own: torch.Tensor) -> torch.Tensor:
        """Return values of cells (n, 1) on the slab with layers along all axes; those of sides go on beyond.

        Collective, differentiable.
        """
        u, w = self.slab.extended(own.reshape(self.slab.shape), self.layers), self.layers
        for axis in range(self.slab.dim):
            n, ends = u.shape[axis], self.slab.grid.ends(axis)
            if axis > 0 and not ends:
                u = torch.cat([u.narrow(axis, n - w, w), u, u.narrow(axis, 0, w)], dim=axis)
            touches = (self.slab.lowest, self.slab.highest) if axis == 0 else (ends, ends)
            first, last = (u.narrow(axis, i, 1) for i in (0, u.shape[axis] - 1))
            u = torch.cat([first] * (w * touches[0]) + [u] + [last] * (w * touches[1]), dim=axis)
        return u

    def own(self, values: torch.Tensor) -> torch.Tensor:
        """Return the own cells of what `spread` has made, (*cells)."""
        return self.window(values, Where((0,) * self.slab.dim))

    def window(self, values: torch.Tensor, where: Where) -> torch.Tensor:
        """Return what `spread` has made at places, (*places); a face has the mean of both cells."""
        for axis, n in enumerate(self.slab.shape):
            first, count = self.layers - where.layers[axis], n + 2 * where.layers[axis]
            if where.normal != axis:
                values = values.narrow(axis, first, count)
                continue
            if where.end is not None:
                first, count = (first, 0) if where.end == 0 else (first + n, 0)
            below, above = (values.narrow(axis, first + i, count + 1) for i in (-1, 0))
            values = (below + above) / 2
        return values

    def coordinates(self, where: Where) -> torch.Tensor:
        """Return coordinates (*places, d) [m]."""
        if where not in self._known:
            lines = [self._line(where, axis) for axis in range(self.slab.dim)]
            self._known[where] = torch.stack(torch.meshgrid(*lines, indexing="ij"), dim=-1)
        return self._known[where]

    def _line(self, where: Where, axis: int) -> torch.Tensor:
        """Return the coordinates along one axis."""
        grid = self.slab.grid
        first, last = self.slab.rows if axis == 0 else (0, grid.cells[axis])
        half = 0.5
        if where.normal == axis:
            first, last, half = (first, last + 1, 0.0)
            if where.end is not None:
                first, last = (first, first + 1) if where.end == 0 else (last - 1, last)
        layers, shift = where.layers[axis], where.shift[axis] if where.shift else 0.0
        index = torch.arange(first - layers, last + layers, dtype=torch.float64, device=self.slab.device)
        return grid.corner[axis] + grid.spacing[axis] * (index + (half + shift))

    def mean(self, f: Callable[[Place], Array], where: Where, axes: Sequence[int], t: float) -> torch.Tensor:
        """Return the means of a function over the cells' or faces' extent along some axes, (*places)."""
        total: Any = 0.0
        for nodes in product(NODES, repeat=len(axes)):
            shift, weight = [0.0] * self.slab.dim, 1.0
            for axis, (x, w) in zip(axes, nodes, strict=True):
                shift[axis], weight = x, weight * w
            part = Where(where.layers, where.normal, where.end, tuple(shift))
            total = total + weight * f(self.at(part, t))
        shape = self.coordinates(where).shape[:-1]
        return torch.as_tensor(total, dtype=torch.float64, device=self.slab.device).expand(shape)
