"""A reduced model is one file and one deck: a projection on waves that needs no training."""

import math

MEMBER = '''
"""Projection of a line on cosines about its start, which are modes of diffusion between closed ends."""

from typing import Any

import numpy as np

from plexus.deck.params import Field, Params
from plexus.protocols import Waves
from plexus.registry import register
from plexus.roms import _line

EXAMPLE: dict[str, Any] = {"type": "cosines", "count": 4}


class CosinesParams(Params):
    """Parameters of the model."""

    count: int = Field(4, ge=1, description="waves that the line may take")


@register("rom", "cosines", CosinesParams)
class Cosines:
    """Few waves on a line."""

    needs = Waves

    def __init__(self, params: CosinesParams):
        self.params = params

    @staticmethod
    def problems(deck):
        """Yield what a deck has that the model does not take."""
        yield from _line.problems(deck, "rom")

    def reduce(self, full, values, deck):
        """Return the projected system and its coordinates at the start."""
        from plexus.coupling.projected import ProjectedSystem
        from plexus.devices.tensors import rows_of
        from plexus.reduction.fixed import FixedCells
        from plexus.reduction.projection import Projection

        name, cells = full.evolving[0], full.cells
        start = rows_of(values[name], cells.n_owned)[:, 0].copy()
        x = (cells.names() + 0.5)[:, None] / cells.n_global
        modes = np.sqrt(2.0) * np.cos(np.pi * x * np.arange(1, self.params.count + 1))
        projection = Projection(FixedCells(full.scheme, start), modes, cells.comm)
        return ProjectedSystem(full, projection, limit=0.01), {name: np.zeros((projection.count, 1))}
'''
LINE = """
plexus: 1
mesh: {type: interval, cells: 32, size: 1 m}
physics: {type: advection_diffusion, velocity: [0 m/s], diffusivity: 0.1 m^2/s}
initial: {concentration: "1 + cos(2*pi*x)"}
time: {stepper: theta, end: 0.5 s, step: 0.05 s}
quantities: {end: {type: maximum, of: concentration}}
rom: {type: cosines, count: 3}
"""


def test_one_file_and_one_deck(newcomer):
    """A cosine is a mode of the differences, so that few waves march as all cells do."""
    newcomer.install("rom", "cosines", MEMBER)
    waves = newcomer.run(LINE)
    full = newcomer.run(LINE.partition("rom:")[0], out="full")
    assert waves["unknowns"] == 3 and full["unknowns"] == 32
    assert abs(waves["quantities"]["end"] - full["quantities"]["end"]) < 1e-9
    # backward Euler with the eigenvalue of the differences; the first cell's mean of the cosine
    h, rate = 1 / 32, 0.1 * 2 * 32**2 * (1 - math.cos(2 * math.pi / 32))
    first = math.sin(2 * math.pi * h) / (2 * math.pi * h)
    assert abs(full["quantities"]["end"] - 1 - first * (1 + 0.05 * rate) ** -10) < 1e-5
    two = newcomer.run(LINE, out="two", ranks=2)
    assert abs(waves["quantities"]["end"] - two["quantities"]["end"]) < 1e-9
    plane = LINE.replace("interval, cells: 32, size: 1 m", "box, cell: quadrilateral, cells: [4, 4]")
    assert "takes one axis" in newcomer.refused(plane.replace("[0 m/s]", "[0 m/s, 0 m/s]"))
    assert "waves that the line may take" in newcomer.explained()
