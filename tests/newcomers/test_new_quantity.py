"""A quantity is one file and one deck: the spread of a field, on elements and in Fourier space."""

import math

MEMBER = '''
"""Spread of a field: s = (∫ u² / V - (∫ u / V)²)^(1/2). Source: definition of the standard deviation."""

from typing import Any

from plexus.deck.params import Field, FieldName
from plexus.quantities.base import Place, QuantityBase
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "spread", "of": "temperature"}


class SpreadParams(Place):
    """Parameters of the spread."""

    of: FieldName = Field(description="name of a field")


@register("quantity", "spread", SpreadParams)
class Spread(QuantityBase):
    """Standard deviation in space."""

    def __init__(self, params):
        self.params = params

    def evaluate(self, run):
        """Return it. Collective."""
        u, part = run.fields.field(self.params.of), self.params.part
        volume, mean, square = (
            run.fields.integrate(f, part) for f in (lambda p: 1 + 0 * u(p), u, lambda p: u(p) ** 2)
        )
        return (square / volume - (mean / volume) ** 2) ** 0.5

    def unit(self, run):
        """Return the unit of the field."""
        return run.fields.unit(self.params.of)
'''
HEAT = """
plexus: 1
mesh: {type: box, cell: triangle, cells: [8, 4], size: [1 m, 1 m]}
physics: {type: heat, material: {conductivity: 1}}
boundary: [{on: left, temperature: 300}, {on: right, temperature: 312}]
quantities: {s: {type: spread, of: temperature}, low: {type: spread, of: temperature, on: left}}
"""
WAVES = """
plexus: 1
mesh: {type: periodic, cells: [32], size: [22]}
physics: {type: kuramoto_sivashinsky}
initial: {u: "3*cos(2*pi*x/22)"}
time: {stepper: etdrk4, end: 1e-9 s, step: 1e-9 s}
quantities: {s: {type: spread, of: u}}
"""


def test_one_file_and_one_deck(newcomer):
    """A temperature that grows along x by 12 K spreads by 12/√12; a wave of size 3 by 3/√2."""
    newcomer.install("quantity", "spread", MEMBER)
    told = newcomer.run(HEAT)
    assert abs(told["quantities"]["s"] - math.sqrt(12)) < 1e-6
    assert abs(told["quantities"]["low"]) < 1e-4
    assert told["units"]["s"] == "K"
    assert abs(newcomer.run(WAVES, out="waves")["quantities"]["s"] - 3 / math.sqrt(2)) < 1e-6
    two = newcomer.run(HEAT, out="two", ranks=2)
    assert abs(two["quantities"]["s"] - math.sqrt(12)) < 1e-6
    assert "name of a field" in newcomer.explained()
