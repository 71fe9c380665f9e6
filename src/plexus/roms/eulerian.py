"""Projection on modes of the cell means of the fixed grid: POD-Galerkin for conservation laws.

    u ≈ u_0 + Φ b,    ḃ = Φᵀ W R(u, t)

with the rates R of the full scheme. It is the rival of ``lagrangian``: what travels needs many modes here,
and what has not travelled in the training is not in them (M. Ohlberger, S. Rave, arXiv:1511.02021, 2016).
Least squares for each step instead of Galerkin: K. Carlberg, M. Barone, H. Antil, J. Comput. Phys. 330 (2017)
693, doi:10.1016/j.jcp.2016.10.033.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from plexus.deck.params import Field, InputFile, Params
from plexus.protocols import Found, Waves
from plexus.registry import register
from plexus.roms import _line

if TYPE_CHECKING:
    from plexus.coupling.projected import ProjectedSystem
    from plexus.coupling.volumes import VolumeSystem
    from plexus.deck.schema import Deck
    from plexus.protocols import Values


class EulerianParams(Params):
    """Parameters of `Eulerian`."""

    file: InputFile = Field(description="rom.h5 that `plexus reduce` has made on the same mesh")
    projection: Literal["galerkin", "least_squares"] = Field(
        "galerkin", description="what holds at a stage of implicit steps; explicit ones are Galerkin's"
    )
    left_out: float = Field(
        0.05, gt=0, description="largest share of the state that the basis may fail to follow, or code 5"
    )


@register("rom", "eulerian", EulerianParams)
class Eulerian:
    """Few modes on a fixed grid of any dimension."""

    needs = Waves

    def __init__(self, params: EulerianParams):
        self.params = params

    @staticmethod
    def problems(deck: Any) -> Iterator[Found]:
        """Yield what a deck has that the model does not take."""
        yield from _line.problems(deck, "rom", (1, 2, 3))

    def reduce(self, full: VolumeSystem, values: Values, deck: Deck) -> tuple[ProjectedSystem, Values]:
        """Return the system that marches in the place of ``full``, and its values at the start. Collective.

        Raises
        ------
        InputError
            If the file does not belong to the grid.
        """
        import numpy as np

        from plexus.coupling.projected import ProjectedSystem
        from plexus.devices.tensors import rows_of
        from plexus.reduction.basis import of_cells
        from plexus.reduction.fixed import FixedCells
        from plexus.reduction.projection import Projection

        name = full.evolving[0]
        start = rows_of(values[name], full.cells.n_owned)[:, 0].copy()
        modes = of_cells(Path(self.params.file), full.cells, name)
        projection = Projection(
            FixedCells(full.scheme, start), modes, full.cells.comm, self.params.projection
        )
        system = ProjectedSystem(full, projection, limit=self.params.left_out)
        return system, {name: np.zeros((projection.count, 1))}


EXAMPLE: dict[str, Any] = {"type": "eulerian", "file": "rom.h5"}
