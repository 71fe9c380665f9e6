"""Projection in the frame of the characteristics: bases for the state and for the positions of its nodes.

    x ≈ x_0 + Φ_x a,    w ≈ w_0 + Φ_w b,    ẋ = f'(w),    ẇ = (D w_x)_x + s

projected after Galerkin or, in implicit steps, by least squares for each step; outputs see means over the
cells of the fixed grid. A wave that travels far then needs few modes: translation is one of positions.
Without ``file`` all nodes are marched, the full model in this frame. Source: R. Mojgani, M. Balajewicz,
arXiv:1701.04343 (2017). Valid in one dimension, as long as characteristics do not cross and nothing new comes
in through the sides.
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
    from plexus.coupling.coordinates import CoordinateSystem
    from plexus.coupling.volumes import VolumeSystem
    from plexus.deck.schema import Deck
    from plexus.protocols import Values


class LagrangianParams(Params):
    """Parameters of `Lagrangian`."""

    file: InputFile | None = Field(
        None, description="rom.h5 that `plexus reduce` has made on the same mesh; absent: all nodes march"
    )
    projection: Literal["galerkin", "least_squares"] = Field(
        "galerkin", description="what holds at a stage of implicit steps; explicit ones are Galerkin's"
    )
    spacing: float = Field(
        0.1,
        gt=0,
        lt=1,
        description="least distance of neighbouring nodes, relative to that at the start, or code 5",
    )
    left_out: float = Field(
        0.05, gt=0, description="largest share of the state that the basis may fail to follow, or code 5"
    )


@register("rom", "lagrangian", LagrangianParams)
class Lagrangian:
    """A line that moves, on few modes of positions and values."""

    needs = Waves

    def __init__(self, params: LagrangianParams):
        self.params = params

    @staticmethod
    def problems(deck: Any) -> Iterator[Found]:
        """Yield what a deck has that the model does not take."""
        yield from _line.problems(deck, "rom")

    def reduce(self, full: VolumeSystem, values: Values, deck: Deck) -> tuple[CoordinateSystem, Values]:
        """Return the system that marches in the place of ``full``, and its values at the start. Collective.

        Raises
        ------
        InputError
            If the file does not belong to grid and start, or the deck has what the model does not take.
        """
        from plexus.coupling.projected import MovingSystem, ProjectedSystem
        from plexus.reduction.basis import of_line
        from plexus.reduction.projection import Projection

        line = _line.moving_line(full, deck, self.params.spacing)
        system: CoordinateSystem
        if self.params.file is None:
            system = MovingSystem(full, line)
        else:
            modes = of_line(Path(self.params.file), full.cells.comm, line)
            projection = Projection(line, modes, test=self.params.projection)
            system = ProjectedSystem(full, projection, line, limit=self.params.left_out)
        return system, system.start()


EXAMPLE: dict[str, Any] = {"type": "lagrangian", "file": "rom.h5"}
