"""Uniform grid of a periodic box in 1-D to 3-D, for models in Fourier space.

The points x_i = i·L/n of each axis stand for the n Fourier modes of that axis;
opposite sides of the box are one.
Ranks hold slabs of the first axis, so there are at most as many ranks as cells along the first and the
second axis; a grid with one axis is for one rank. Even numbers of cells with small prime factors are the
fast ones.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ValidationInfo, field_validator

from plexus.deck.context import Known
from plexus.deck.params import Field, Params, Unit
from plexus.mesh.grid import CELL, Grid
from plexus.mesh.mesh import Estimate
from plexus.registry import register

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

EXAMPLE: dict[str, Any] = {"type": "periodic", "cells": [64, 64], "size": [10, 10]}


class PeriodicParams(Params):
    """Parameters of a periodic grid; lists have one entry per axis."""

    cells: tuple[Annotated[int, Field(ge=4)], ...] = Field(
        min_length=1, max_length=3, description="number of grid points per axis"
    )
    size: tuple[Annotated[float, Unit("m"), Field(gt=0)], ...] = Field(
        min_length=1, max_length=3, description="edge lengths of the box"
    )

    @field_validator("size")
    @classmethod
    def _same_dimension(cls, value: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        cells = info.data.get("cells", value)
        if len(cells) != len(value):
            raise ValueError(f"size needs {len(cells)} entries, one per axis; here are {len(value)}")
        return value


@register("mesh", "periodic", PeriodicParams)
class Periodic:
    """A grid without boundaries and without regions."""

    def __init__(self, params: PeriodicParams):
        self.params = params

    def periodic(self, comm: Comm) -> Grid:
        """Return the grid. Not collective."""
        return Grid(comm, self.params.cells, self.params.size)

    def grid(self, comm: Comm) -> Grid:
        """Return the grid. Not collective."""
        return self.periodic(comm)

    def known(self) -> Known:
        """Return the dimension; there are no names."""
        return Known(len(self.params.cells), (), ())

    def estimate(self) -> Estimate:
        """Return the sizes; exact, needs no MPI."""
        n, dim = math.prod(self.params.cells), len(self.params.cells)
        return Estimate(dim, CELL[dim], n, n, (), (), (n, n), 1 if dim == 1 else None)
