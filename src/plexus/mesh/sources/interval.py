"""Interval: a line-up of cells in 1-D, uniform or graded, optionally periodic or mapped.

Lattice coordinate of n cells with grading q (last cell over first cell): s_i = (r^i − 1)/(r^n − 1) with
r = q^(1/(n−1)), or i/n for q = 1; x = origin + size·s. ``map`` then replaces x by an expression of x;
``regions`` and ``boundaries`` name cells and ends by conditions on the final coordinate. The ends are named
left and right; they are points of measure 1, so that a flux there is counted per area of the cross-section.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ValidationInfo, ValidatorFunctionWrapHandler, field_validator, model_validator

from plexus.deck.context import only
from plexus.deck.params import Expression, Field, Params, Unit
from plexus.mesh.lattice import SIDES
from plexus.mesh.mesh import EXTERIOR
from plexus.mesh.sources.box import Box, BoxParams, Length
from plexus.registry import register


class IntervalParams(Params):
    """Parameters of an interval."""

    cells: int = Field(ge=1, description="number of cells before refinement")
    size: Annotated[float, Unit("m"), Field(gt=0)] = Field(1.0, description="length")
    origin: Length = Field(0.0, description="left end")
    periodic: bool = Field(False, description="whether the two ends are one")
    grading: float = Field(
        1.0, gt=0, description="size of the last cell over that of the first; 1 is uniform"
    )
    refine: int = Field(0, ge=0, le=30, description="how often all cells are halved")
    degree: Literal[1, 2] = Field(1, description="degree of the cells' geometry; 2 follows a curved map")
    map: Annotated[Expression, Unit("m")] | None = Field(
        None, description="new coordinate as an expression of x"
    )

    regions: dict[str, Expression] = Field(
        {}, description="name: condition on x that the centres of the region's cells fulfil"
    )
    boundaries: dict[str, Expression] = Field({}, description="name: condition on x that an end fulfils")

    @field_validator("map", "regions", "boundaries", mode="wrap")
    @classmethod
    def _of_coordinates(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        with only(info, "x"):
            return handler(value)

    @model_validator(mode="after")
    def _fits(self) -> IntervalParams:
        taken = sorted({*SIDES[0], EXTERIOR} & set(self.boundaries))
        if taken:
            raise ValueError(f"the interval has a boundary {taken[0]} already")
        if self.periodic and self.cells << self.refine < 3:
            raise ValueError("a periodic interval needs at least 3 cells")
        return self


EXAMPLE = {"type": "interval", "cells": 40, "size": "50 mm", "grading": 4}


@register("mesh", "interval", IntervalParams)
class Interval(Box):
    """A box with one axis; no rank holds more than its part."""

    def __init__(self, params: IntervalParams):
        p = params
        super().__init__(
            BoxParams.model_construct(
                cell="line", cells=(p.cells,), size=(p.size,), origin=(p.origin,),
                periodic=("x",) if p.periodic else (), grading=(p.grading,), refine=p.refine,
                degree=p.degree, map=None if p.map is None else (p.map,),
                regions=p.regions, boundaries=p.boundaries,
            )
        )  # fmt: skip
