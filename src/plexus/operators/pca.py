"""The classical rival of learned operators: linear regression between principal components.

    u(t + dt) = ū' + V A Uᵀ (u(t) - ū)

U and V are the principal components of the fields before and after the step (`plexus.nets.pca`). It is found
from all samples at once, without steps of an optimiser (stage ``direct``), is exact for linear equations as
far as the components reach, and knows the cells of its training only: another grid is refused. Every training
of an operator is compared with it.

Source: K. Bhattacharya, B. Hosseini, N. B. Kovachki, A. M. Stuart, SMAI J. Comput. Math. 7 (2021) 121-157,
doi:10.5802/smai-jcm.74.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Field
from plexus.learned.part import Fields
from plexus.operators.base import OperatorParams, OperatorPart
from plexus.registry import register

if TYPE_CHECKING:
    import torch

    from plexus.mesh.grid import Grid

EXAMPLE: dict[str, Any] = {"type": "pca", "components": 8}


class PcaParams(OperatorParams):
    """Parameters of the regression; a checkpoint brings its own."""

    precision: Literal["fp64"] = Field("fp64", description="precision of the regression")
    components: int = Field(32, ge=1, le=4096, description="principal components of the fields at either end")
    ridge: float = Field(
        1e-6, ge=0, description="ridge, as a share of the mean variance of the components before the step"
    )
    cells: tuple[int, ...] = Field(
        (), description="cells of the training; those of the mesh without a bundle"
    )


@register("operator", "pca", PcaParams)
class Pca(OperatorPart):
    """Linear regression between principal components."""

    params: PcaParams

    def chosen(self) -> dict[str, Any]:
        """Return components, ridge and cells."""
        p = self.params
        return {"components": p.components, "ridge": p.ridge, "cells": list(p.cells)}

    def make(self) -> torch.nn.Module:
        """Return a regression of zeros."""
        from plexus.nets.pca import Regression

        if not self.metadata:
            self.hyper["cells"] = list(self.setting.space.mesh.cells)
        size = len(self.ports) * math.prod(self.hyper["cells"])
        return Regression(size, size, self.hyper["components"])

    def unfit(self, grid: Grid) -> str | None:
        """Return that the grid is not that of the training."""
        cells = self.hyper["cells"]
        if not cells or list(grid.cells) == cells:
            return None
        trained, has = (" x ".join(map(str, n)) for n in (cells, grid.cells))
        return f"pca knows the {trained} cells of its training, the mesh has {has}; fno takes any"

    def solve(self, inputs: Fields, targets: Fields) -> None:
        """Find the regression from all samples."""
        import torch

        ends = (("start", inputs), ("end", targets))
        rows = [
            torch.cat([fields[p.name].flatten(1) / self.scales[f"{end} {p.name}"] for p in self.ports], 1)
            for end, fields in ends
        ]
        self.network.solve(*rows, self.hyper["ridge"])

    def rivals(self) -> dict[str, Any]:
        """Return nothing: it is the rival."""
        return {}

    def respond(self, u: torch.Tensor) -> torch.Tensor:
        """Return the regression's answer; coordinates are sums over the ranks. Collective."""
        import torch

        count, shape, space = u.shape[1], u.shape[2:], self.setting.space
        every = torch.arange(len(u) * math.prod(space.mesh.cells)).reshape(len(u), *space.mesh.cells)
        own = every[:, slice(*space.rows)].flatten()
        found: torch.Tensor = self.network(
            u.transpose(0, 1).reshape(count, -1), own.to(u.device), self.over_ranks
        )
        return found.reshape(count, -1, *shape).transpose(0, 1)
