"""A physics of points in no space is one file and one deck: predators and their prey."""

import math

MEMBER = '''
"""Predators y and prey x: dx/dt = x (a - b y), dy/dt = y (d x - c).

V = d x - c ln x + b y - a ln y stays what it is. Source: A. J. Lotka, Proc. Natl. Acad. Sci. 6 (1920) 410,
doi:10.1073/pnas.6.7.410; all numbers are pure.
"""

from typing import Any, ClassVar

from plexus.deck.params import Field, Params
from plexus.protocols import FieldSpec
from plexus.registry import register

FIELDS = FieldSpec("prey", "1", "scalar", "x"), FieldSpec("predators", "1", "scalar", "y")
KEPT = FieldSpec("kept", "1", "scalar", "V")
EXAMPLE: dict[str, Any] = {"a": 1.0}


class LotkaParams(Params):
    """Parameters of the model; b = c = d = 1."""

    a: float = Field(gt=0, description="growth of the prey")


@register("physics", "lotka", LotkaParams)
class Lotka:
    """Two numbers."""

    discretisation: ClassVar[str] = "points"

    def __init__(self, params):
        self.params = params

    @staticmethod
    def fields(params):
        """Return prey and predators."""
        return FIELDS

    @staticmethod
    def unknowns(params):
        """Return one value of each."""
        return {"prey": 1, "predators": 1}

    def derived_specs(self):
        """Return what is kept."""
        return (KEPT,)

    def model(self):
        """Return the rates."""
        return Model(self.params.a)


class Model:
    """Rates of both."""

    sizes = {"prey": 1, "predators": 1}
    scales = {"prey": 1.0, "predators": 1.0}

    def __init__(self, a):
        self.a = a

    def rates(self, values, t):
        """Return dx/dt and dy/dt."""
        x, y = values["prey"], values["predators"]
        return {"prey": x * (self.a - y), "predators": y * (x - 1)}

    def jacobian(self, values, t):
        """Return None: it is differentiated."""

    def start(self):
        """Return twice as many prey as predators bear."""
        import torch

        one = torch.ones(1, dtype=torch.float64)
        return {"prey": 2 * one, "predators": one}

    def derived(self, name, values, t):
        """Return V."""
        x, y = values["prey"], values["predators"]
        return x - x.log() + y - self.a * y.log()
'''
DECK = """
plexus: 1
physics: {type: lotka, a: 1}
time: {stepper: {type: runge_kutta, method: classical}, end: 6 s, step: STEP s}
quantities:
  kept: {type: value, of: kept, at: [0]}
  prey: {type: value, of: prey, at: [0]}
"""


def test_one_file_and_one_deck(newcomer):
    newcomer.install("physics", "lotka", MEMBER)
    start = 3 - math.log(2)
    lost = []
    for i, step in enumerate((0.2, 0.1)):
        found = newcomer.run(DECK.replace("STEP", str(step)), out=f"out{i}")["quantities"]
        lost.append(abs(found["kept"] - start))
    assert math.log2(lost[0] / lost[1]) > 3.9
    implicit = DECK.replace("{type: runge_kutta, method: classical}", "bdf2").replace("STEP", "0.005")
    assert abs(newcomer.run(implicit, out="implicit")["quantities"]["prey"] - found["prey"]) < 1e-3
    assert "growth of the prey" in newcomer.explained()
