"""Points of a grid at which laws are evaluated: middles of cells and faces, and means over them.

Means of given functions are sums over three Gauss points per axis, exact for polynomials of degree 5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import torch

from plexus.protocols import Array, Sample
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
    """A `plexus.protocols.GridPoint`; fields come from the caller."""

    def __init__(self, places: Places, where: Where, t: float):
        self._places, self._where, self.t = places, where, t
        self.dim, self.one = places.slab.dim, places.one
        self.fields: Mapping[str, Sample] = {}

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
    """The places of one slab; coordinates are computed once."""

    def __init__(self, slab: Slab):
        self.slab = slab
        self.one = torch.ones((), dtype=torch.float64, device=slab.device)
        self._known: dict[Where, torch.Tensor] = {}

    def at(self, where: Where, t: float) -> Place:
        """Return the points of a part at a time."""
        return Place(self, where, t)

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
