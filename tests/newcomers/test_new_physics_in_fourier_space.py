"""A physics in Fourier space is one file and one deck: waves that travel and decay."""

import math

MEMBER = '''
"""Advection and diffusion on a line: u_t + c u_x = ν u_xx.

====== ========== ====
symbol meaning    unit
====== ========== ====
u      any scalar 1
c      speed      m/s
ν      diffusivity m²/s
====== ========== ====

Source: doi:10.1007/978-3-540-30726-6, chapter 2.
"""

from typing import Annotated, Any, ClassVar

from plexus.deck.params import Field, Params, Unit
from plexus.protocols import FieldSpec
from plexus.registry import register

U = FieldSpec("u", "1", "scalar", "what travels")
SLOPE = FieldSpec("slope", "1/m", "scalar", "u_x")
EXAMPLE: dict[str, Any] = {"speed": 1, "diffusivity": 0.1}


class TravelParams(Params):
    """Parameters of the equation."""

    speed: Annotated[float, Unit("m/s")] = Field(description="speed c")
    diffusivity: Annotated[float, Unit("m^2/s")] = Field(ge=0, description="diffusivity ν")


@register("physics", "travel", TravelParams)
class Travel:
    """One scalar."""

    discretisation: ClassVar[str] = "spectral"

    def __init__(self, params):
        self.params = params

    @staticmethod
    def fields(params):
        """Return the unknown."""
        return (U,)

    @staticmethod
    def unknowns(params, dim):
        """Return one number per point."""
        return {"u": 1}

    def derived_specs(self):
        """Return the slope."""
        return (SLOPE,)

    def model(self, space, seed=0, initial=None):
        """Return the equation; the start is that of the deck."""
        return Model(self.params, space.sibling(real=True), initial["u"])


class Model:
    """L = -ν k², N = -c i k u."""

    unknown, real = "u", True

    def __init__(self, params, space, start):
        self.space, self.start, self.speed = space, start, params.speed
        self.linear = -params.diffusivity * space.k2

    def initial(self, deviations=None):
        """Return the modes of the start, or of all members of an ensemble."""
        u = self.start if deviations is None else self.start + deviations(1)
        return self.space.forward(u) * self.space.mask

    def explicit(self, hat, t):
        """Return the modes of -c u_x."""
        return -self.speed * self.space.ik(0) * hat

    def rms(self, hat):
        """Return the root mean square."""
        return float(self.space.power(hat).sum()) ** 0.5

    def derived(self, name, hat, t):
        """Return u or its slope."""
        return self.space.inverse(self.space.ik(0) * hat if name == "slope" else hat)

    def memory(self):
        """Return nothing."""
        return {}

    def restore(self, memory):
        """Accept nothing."""

    def monitor(self, hat, t):
        """Return the mean."""
        return {"mean": float(self.space.mean(self.space.inverse(hat)).sum())}
'''
DECK = """
plexus: 1
mesh: {type: periodic, cells: [32], size: [1 m]}
physics: {type: travel, speed: 0.5, diffusivity: 0.01}
initial: {u: "1 + cos(2*pi*x)"}
time: {stepper: etdrk4, end: 1 s, step: 0.02 s}
quantities:
  mean: {type: mean, of: u}
  there: {type: value, of: u, at: [0.6]}
  steepest: {type: maximum, of: slope}
output: [{type: spectrum, fields: [u], every: 0.5 s}]
"""


def test_one_file_and_one_deck(newcomer):
    """u = 1 + exp(-ν k² t) cos(k (x - c t))."""
    newcomer.install("physics", "travel", MEMBER)
    found = newcomer.run(DECK)["quantities"]
    k = 2 * math.pi
    left = math.exp(-0.01 * k**2)
    assert abs(found["mean"] - 1) < 1e-14
    assert abs(found["there"] - (1 + left * math.cos(k * (0.6 - 0.5)))) < 1e-6
    assert abs(found["steepest"] - k * left) < 0.01 * k * left
    assert "works in Fourier space" in newcomer.refused(DECK.replace("etdrk4", "bdf2"))
    assert "Advection and diffusion" in newcomer.explained()


def test_members_of_an_ensemble_need_nothing_more(newcomer):
    """Waves travel alike: the mean over members that differ by noise is the noise of the mean."""
    newcomer.install("physics", "travel", MEMBER)
    many = DECK.replace("initial:", "ensemble: {members: 5, perturbation: 0.1, seed: 1}\ninitial:")
    for name in ("of: u", "of: slope", "fields: [u]"):
        many = many.replace(name, name.replace("u", "u_mean").replace("slope", "slope_spread"))
    found = newcomer.run(many)["quantities"]
    assert abs(found["mean"] - 1) < 1e-14
    assert found["steepest"] > 0
