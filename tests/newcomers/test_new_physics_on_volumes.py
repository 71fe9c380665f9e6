"""A physics on the cells of a grid is one file and one deck: cars on a road, whose jam has a known speed."""

MEMBER = '''
"""Traffic: n_t + (v n (1 - n))_x = 0, n the share of the road that cars cover, v the speed on an empty road.

Source: M. J. Lighthill, G. B. Whitham, Proc. R. Soc. A 229 (1955) 317-345, doi:10.1098/rspa.1955.0089.
"""

from typing import Annotated, Any

from plexus.deck.params import Field, Unit
from plexus.formulation.laws import Law, LawParams
from plexus.protocols import FieldSpec
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"speed": "1 m/s"}


class TrafficParams(LawParams):
    """Parameters of traffic."""

    speed: Annotated[float, Unit("m/s")] = Field(gt=0, description="speed v on an empty road")


@register("physics", "traffic", TrafficParams)
class Traffic(Law):
    """One density, along the first axis."""

    def __init__(self, params):
        self.params = params

    @staticmethod
    def fields(params):
        """Return the density."""
        return (FieldSpec("cars", "1", "scalar", "share of the road"),)

    def flux(self, u, p, axis):
        """Return v n (1 - n)."""
        n = u["cars"]
        return {"cars": self.params.speed * n * (1 - n) * (axis == 0)}

    def speed(self, u, p, axis):
        """Return v (1 - 2n)."""
        return self.params.speed * (1 - 2 * u["cars"]) * (axis == 0)

    def sonic(self, p, axis):
        """Return half a road, where waves stand still."""
        return {"cars": 0.5 * p.one}
'''
DECK = """
plexus: 1
mesh: {type: interval, cells: 100, size: 2 m}
physics: {type: traffic, speed: 1 m/s, reconstruction: muscl, riemann: RIEMANN}
boundary: [{on: left, cars: 0.2}, {on: right, cars: 0.9}]
initial: {cars: "where(x < 1, 0.2, 0.9)"}
time: {stepper: ssp_rk, controller: {type: courant, number: 0.4}, end: 4 s, step: 0.1 s}
quantities: {cars: {type: integral, of: cars}}
"""


def test_one_file_and_one_deck(newcomer):
    """The end of the jam moves with s = (f_2 - f_1)/(n_2 - n_1) = 1 - 0.2 - 0.9 = -0.1 m/s, to x = 0.6."""
    newcomer.install("physics", "traffic", MEMBER)
    exact = 0.6 * 0.2 + 1.4 * 0.9
    exactly = newcomer.run(DECK.replace("RIEMANN", "godunov"))["quantities"]["cars"]
    assert abs(exactly - exact) < 1e-12
    deck = DECK.replace("RIEMANN", "rusanov")
    one = newcomer.run(deck, out="one")["quantities"]["cars"]
    assert abs(one - exact) < 1e-3
    two = newcomer.run(deck, out="two", ranks=2)["quantities"]["cars"]
    assert abs(two - one) < 1e-12
    assert "empty road" in newcomer.explained()
