"""What holds on the sides of a bounded grid, one rule per field component.

====================== ====================================================================
`Prescribed`           u = g
`Mixed`                D ∂u/∂n = b - a u, n pointing outwards; waves pass as they come
`Outflow`              waves leave with the value inside, nothing diffuses through
`Given`                a flux g enters whatever the state; zero closes the side
====================== ====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from plexus.protocols import Array
from plexus.spaces.stencils.edges import edge

if TYPE_CHECKING:
    from plexus.models.volumes.places import Place

Function = Callable[["Place"], Array]
"""A function of a point."""
Mean = Callable[[Function], torch.Tensor]
"""What takes means of such a function over the faces of the side."""


@dataclass(frozen=True)
class Prescribed:
    """u = g on the faces."""

    value: Function


@dataclass(frozen=True)
class Mixed:
    """D ∂u/∂n = b - a u on the faces."""

    coefficient: Function
    value: Function


@dataclass(frozen=True)
class Outflow:
    """No diffusion through the faces; waves leave."""


@dataclass(frozen=True)
class Given:
    """The flux g enters through the faces."""

    value: Function


Rule = Prescribed | Mixed | Outflow | Given


@dataclass(frozen=True)
class Beyond:
    """The continuation of one component: ghosts nearest first, value and outward derivative on the side."""

    ghosts: list[torch.Tensor]
    value: torch.Tensor
    slope: torch.Tensor


@dataclass(frozen=True)
class Side:
    """One side of the grid.

    Attributes
    ----------
    axis, end : which one; 0 is the lower end.
    rules : one per component of the stacked fields.
    order : order of the reconstruction.
    spacing : edge length of a cell across the side [m].
    """

    axis: int
    end: int
    rules: Sequence[Rule]
    order: int
    spacing: float

    def beyond(
        self, cells: Sequence[torch.Tensor], c: int, ghosts: int, mean: Mean, diffusivity: Callable[..., Any]
    ) -> Beyond:
        """Return the continuation of component ``c`` from its cells (N, *places), nearest first.

        ``diffusivity(value)`` gives D of the component on the faces.
        """
        rule = self.rules[c]
        bound = isinstance(rule, (Prescribed, Mixed))
        e = edge(self.cells(bound), ghosts)
        value, slope = _weighted(e.value, cells), _weighted(e.slope, cells) / -self.spacing
        outside = [_weighted(row, cells) for row in e.ghosts]
        z = e.z_slope / -self.spacing
        if isinstance(rule, Prescribed):
            factor = mean(rule.value) - value
        elif isinstance(rule, Mixed):
            a, d = mean(rule.coefficient), diffusivity(value)
            factor = (mean(rule.value) - a * value - d * slope) / (a + d * z)
        else:
            return Beyond(outside, value, slope)
        more = [g + w * factor for g, w in zip(outside, e.z_ghosts, strict=True)]
        return Beyond(more, value + factor, slope + z * factor)

    def cells(self, bound: bool) -> int:
        """Return how many cells a continuation looks at: as many as its order bears without new extrema."""
        if self.order > 2:
            return 4
        return 1 if bound else self.order

    @property
    def reads(self) -> int:
        """Largest number of cells that a component's continuation looks at."""
        return max(self.cells(False), self.cells(True))


def _weighted(weights: Sequence[float], cells: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return Σ weight·cell."""
    total = weights[0] * cells[0]
    for w, u in zip(weights[1:], cells[1:], strict=False):
        total = total + w * u
    return total
