"""A field by its values at the nodes of the mesh, interpolated as the unknowns are.

    m(x) = Σ_i θ_i φ_i(x),    ‖m‖²_L2 = ∫ m² dx,    ‖m‖²_H1 = ∫ m² + ℓ² |∇m|² dx

On the cells of a grid the values are those in the middles of cells, and faces see the mean of both sides; in
Fourier space they are those at the grid points; of points in no space there is one per index and member. In
both norms the fitted field does not depend on the mesh once that resolves it.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from plexus.controls._field import FieldParams, OfMesh
from plexus.registry import register

EXAMPLE: dict[str, Any] = {
    "unit": "W/(m K)", "start": "10 + 2*x", "bounds": [0.1, None],
    "regularisation": {"norm": "H1", "weight": 1.0, "length": "0.1 m"},
}  # fmt: skip


@register("control", "nodal", FieldParams)
class NodalField(OfMesh):
    """A continuous field."""

    location: ClassVar[Literal["own", "node", "cell"]] = "node"
    at_nodes: ClassVar[bool] = True

    def __init__(self, params: FieldParams):
        self.params = params

    def place(self, ground: Any) -> Any:
        """Return the field on the ground. Collective."""
        return ground.control(self.location)

    def begin(self, ground: Any) -> np.ndarray:
        """Return the values at the own places, (n, 1)."""
        return self.at_start(ground.points(self.location))
