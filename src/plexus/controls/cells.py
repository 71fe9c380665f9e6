"""A field with one value per cell of the mesh.

    m(x) = θ_c for x in cell c,    ‖m‖²_L2 = ∫ m² dx = Σ_c |c| θ_c²

It may jump between materials. It has no slope, so that only its values can be held near to the start.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import model_validator

from plexus.controls._field import FieldParams, OfMesh
from plexus.deck.values import refuse
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"unit": "W/m^3", "start": 0, "regularisation": {"weight": 1e-6}}


class CellParams(FieldParams):
    """Parameters of a field of cells."""

    @model_validator(mode="after")
    def _flat(self) -> CellParams:
        if self.regularisation is not None and self.regularisation.norm == "H1":
            raise refuse("a field of cells has no slope: take `nodal` for H1")
        return self


@register("control", "cells", CellParams)
class CellField(OfMesh):
    """A field that is constant in each cell."""

    location: ClassVar[Literal["own", "node", "cell"]] = "cell"
    at_nodes: ClassVar[bool] = False

    def __init__(self, params: CellParams):
        self.params = params

    def place(self, ground: Any) -> Any:
        """Return the field on the ground. Collective."""
        return ground.control(self.location)

    def begin(self, ground: Any) -> np.ndarray:
        """Return the values at the own places, (n, 1)."""
        return self.at_start(ground.points(self.location))
