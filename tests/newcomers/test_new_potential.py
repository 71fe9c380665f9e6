"""An energy at finite strain is one file and one deck: a foam after Blatz and Ko."""

MEMBER = '''
"""Foam after P. J. Blatz, W. L. Ko, Trans. Soc. Rheol. 6 (1962) 223: W = μ/2 (I₂/J² + 2 J - 5)."""

from typing import Any

from plexus.formulation.material import Material
from plexus.potentials._invariants import Isotropic, lame
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"young_modulus": "1 MPa", "poisson_ratio": 0.25}


class BlatzKoParams(Material):
    """Parameters of the foam: the Young modulus; Poisson's ratio is 1/4."""


@register("potential", "blatz_ko", BlatzKoParams)
class BlatzKo(Isotropic):
    """A foam."""

    def __init__(self, params: BlatzKoParams):
        params.need("potential", "young_modulus", "poisson_ratio")
        self.material = params

    def energy_of(self, p, at):
        """Return W."""
        return 0.5 * lame(self.material, p)[1] * (at.second / at.volume**2 + 2.0 * at.volume - 5.0)

    def slopes(self, p, at):
        """Return the first derivatives."""
        mu, zero = lame(self.material, p)[1], 0.0 * at.volume
        return zero, 0.5 * mu / at.volume**2, mu * (1.0 - at.second / at.volume**3)

    def bends(self, p, at):
        """Return the second derivatives."""
        mu = lame(self.material, p)[1]
        return {(1, 2): -mu / at.volume**3, (2, 2): 3.0 * mu * at.second / at.volume**4}
'''
BAR = """
plexus: 1
mesh: {type: box, cell: hexahedron, cells: [2, 1, 1], size: [1, 1, 1]}
physics:
  type: hyperelasticity
  degree: 1
  potential: {type: blatz_ko, young_modulus: 2.5 MPa, poisson_ratio: 0.25}
boundary:
  - {on: left, displacement_x: 0}
  - {on: front, displacement_z: 0}
  - {on: bottom, displacement_y: 0}
  - {on: right, displacement_x: t * (1 m/s)}
time: {stepper: {type: quasistatic, guess: linear}, step: 0.25 s, end: 1 s}
quantities:
  side: {type: value, of: displacement_y, at: [1, 1, 1]}
  pull: {type: mean, of: stress_xx}
"""


def test_one_file_and_one_deck(newcomer):
    """At twice its length λ a bar is λ^(-1/4) thick, and carries μ (λ^(-1/2) - λ^(-3)) per unloaded area."""
    newcomer.install("potential", "blatz_ko", MEMBER)
    for ranks in (1, 2):
        told = newcomer.run(BAR, out=f"n{ranks}", ranks=ranks)["quantities"]
        assert abs(told["side"] - (2**-0.25 - 1)) < 1e-8
        assert abs(told["pull"] / (1e6 * (2**-0.5 - 2**-3) * 2**0.5) - 1) < 1e-7
    assert "foam" in newcomer.explained().lower()
