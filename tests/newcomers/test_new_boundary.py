"""A boundary term is one file and one deck: it joins a shipped equation by its unknown's name."""

MEMBER = '''
"""Flux that grows with the cube of the unknown: k ∂u/∂n = -a u³. Source: doi:10.1016/C2009-0-11088-6."""

from typing import Any

from plexus.deck.params import Field, Property
from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Flux
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"factor": 2}


class CubicParams(TermParams):
    """Parameters of the term."""

    factor: Property = Field(description="factor a")


@register("boundary", "cubic", CubicParams)
class Cubic(Term):
    """The term ∫ a u³ v ds; its tangent is automatic."""

    affine = False
    joins = ("u",)

    def flux(self, p):
        """Return f0 = a u³."""
        return Flux(f0=self.params.factor(p) * p.u**3)
'''
DECK = """
plexus: 1
mesh: {type: interval, cells: 10}
physics: {type: diffusion, coefficient: 1}
boundary: [{on: left, u: 3}, {on: right, cubic: {factor: 2}}]
quantities:
  end: {type: value, of: u, at: [1]}
  through: {type: flux, of: u_flux, on: right}
"""


def test_one_file_and_one_deck(newcomer):
    """u = 3 - g x with g = 2 (3 - g)³: the root is g = 2."""
    newcomer.install("boundary", "cubic", MEMBER)
    found = newcomer.run(DECK)["quantities"]
    assert abs(found["end"] - 1) < 1e-8
    assert abs(found["through"] - 2) < 1e-7
    assert "factor a" in newcomer.explained()


def test_it_joins_only_what_it_names(newcomer):
    newcomer.install("boundary", "cubic", MEMBER)
    heat = DECK.replace("type: diffusion, coefficient: 1", "type: heat, material: {conductivity: 1}")
    heat = heat.replace("u: 3", "temperature: 3").partition("quantities")[0]
    assert "does not accept the boundary term" in newcomer.refused(heat)
