"""What systems on the cells of a grid share: slabs over the ranks, the stencil of face couplings, b.

    Σ_f c_f (u_P - u_N) + Σ_h c_h u_P = b_P

over the faces f of cell P to other cells N and its faces h where u = 0 is held. Couplings are unscaled: no
factor of the mesh width stands in A.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import field_validator

from plexus.deck.params import Field, Params
from plexus.deck.values import refuse
from plexus.problems._rhs import normal, plume
from plexus.problems._slabs import own_layers
from plexus.problems._stencil import coupled, rows_of_faces
from plexus.protocols import FieldSpec, Layout, LinearSystem, Outline

if TYPE_CHECKING:
    from mpi4py.MPI import Comm

SOLID = FieldSpec("solid", "1", "scalar", "one where a cell is solid, else zero")
COEFFICIENT = FieldSpec("coefficient", "1", "scalar", "coefficient of the cell")
Cells = tuple[Annotated[int, Field(ge=8, le=4096)], ...]


class CubeParams(Params):
    """What problems on a cube of cells share."""

    cells: Cells = Field(description="cells per axis, three equal numbers")
    rhs: Literal["normal", "plume"] = Field(
        "normal", description="standard normal numbers of seed 1, or the flow of a rising plume"
    )

    @field_validator("cells")
    @classmethod
    def _a_cube(cls, cells: Cells) -> Cells:
        if len(cells) != 3 or len(set(cells)) > 1:
            raise refuse(f"expected three equal numbers, the recipe is that of a cube, not {list(cells)}")
        return cells


class GridProblem:
    """A symmetric positive definite system on the cells of the unit box; cells may be solid.

    A member gives `solid` or `coefficient`, and the ends of axes that are held.
    """

    sequence = False
    symmetric: bool | None = True
    definite = True
    held: tuple[tuple[int, int], ...] = ((2, 1),)
    """Axis and end of the sides where u = 0; nothing passes through the others."""

    def __init__(self, params: Any):
        self.params, self.cells = params, params.cells
        self._solid: tuple[float, np.ndarray | None] | None = None

    @property
    def shows(self) -> Sequence[FieldSpec]:
        """What the problem has beside u."""
        return (SOLID,)

    def solid(self, t: float) -> np.ndarray | None:
        """Return which cells are solid, all of them; None for none."""
        return None

    def coefficient(self) -> np.ndarray | None:
        """Return the coefficient of all cells; None for one."""
        return None

    def outline(self) -> Outline:
        """Return the sizes as if no cell were solid."""
        n = math.prod(self.cells)
        return Outline(n, 1, (2 * len(self.cells) + 1) * n, len(self.cells), self.cells)

    def layout(self, comm: Comm) -> Layout:
        """Return the own layers of the first axis; solid cells have no unknown. Collective.

        Raises
        ------
        InputError
            If there are more ranks than layers.
        """
        unknown, layers = self._unknown(0.0), own_layers(self.cells[0], comm)
        own = unknown[slice(*layers)]
        dim = len(self.cells)
        return Layout(
            comm, 1, int(own.sum()), int(unknown[: layers[0]].sum()), int(unknown.sum()),
            self.cells, (1.0,) * dim, (0.0,) * dim, layers, np.flatnonzero(own),
        )  # fmt: skip

    def system(self, layout: Layout, t: float) -> LinearSystem:
        """Return the own rows at time ``t`` [s]."""
        solid, k = self._walls(t), self.coefficient()
        fluid = np.ones(self.cells, bool) if solid is None else ~solid
        k = np.ones(self.cells) if k is None else k
        faces = coupled(k, fluid, layout.layers, self.held)
        unknown = self._unknown(t)
        pointer, columns, values = rows_of_faces(faces, unknown, layout.layers, ~fluid)
        own = unknown[slice(*layout.layers)]
        rhs = self.rhs(fluid, unknown)[slice(*layout.layers)][own]
        held = None if fluid[unknown].all() else ~fluid[slice(*layout.layers)][own]
        return LinearSystem(pointer, columns, values, rhs, held, fields=self._shown(k, fluid, layout.layers))

    def rhs(self, fluid: np.ndarray, unknown: np.ndarray) -> np.ndarray:
        """Return b in all cells."""
        return plume(fluid) if self.params.rhs == "plume" else normal(unknown, 1)

    def _unknown(self, t: float) -> np.ndarray:
        """Return which cells have an unknown; in a sequence all, since solids move."""
        solid = None if self.sequence else self._walls(t)
        return np.ones(self.cells, bool) if solid is None else ~solid

    def _walls(self, t: float) -> np.ndarray | None:
        """Return `solid`, which is made once per time."""
        if self._solid is None or (self.sequence and self._solid[0] != t):
            self._solid = t, self.solid(t)
        return self._solid[1]

    def _shown(self, k: np.ndarray, fluid: np.ndarray, layers: tuple[int, int]) -> dict[str, np.ndarray]:
        """Return the fields of the own cells."""
        known = {"solid": (~fluid[slice(*layers)]).astype(float), "coefficient": k[slice(*layers)]}
        return {spec.name: known[spec.name].ravel() for spec in self.shows}
