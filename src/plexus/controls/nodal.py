"""A field by its values at the nodes of the mesh, interpolated as the unknowns are.

    m(x) = Σ_i θ_i φ_i(x),    ‖m‖²_L2 = ∫ m² dx,    ‖m‖²_H1 = ∫ m² + ℓ² |∇m|² dx

In both norms the fitted field does not depend on the mesh once that resolves it.
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

    def place(self, space: Any) -> Any:
        """Return the field on the nodes of the unknowns."""
        from plexus.spaces.controls import Nodal

        return Nodal(space)

    def begin(self, space: Any) -> np.ndarray:
        """Return the values at the own nodes, (n_owned, 1)."""
        return self.at_start(space.points[: space.n_owned])
