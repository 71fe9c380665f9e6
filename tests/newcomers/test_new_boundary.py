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


GAP = '''
"""Exchange across a gap: q = a (u³ - u⁺³). Source: doi:10.1016/C2009-0-11088-6."""

from typing import Any

from plexus.deck.params import Field, Property
from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Flux
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"factor": 2}


class GapParams(TermParams):
    """Parameters of the gap."""

    factor: Property = Field(description="factor a")


@register("boundary", "gap", GapParams)
class Gap(Term):
    """The term between two sides; both tangents are automatic."""

    affine = False
    across = True
    joins = ("u",)

    def flux(self, p):
        """Return f0 = a (u³ - u⁺³)."""
        return Flux(f0=self.params.factor(p) * (p.u**3 - p.other.u**3))
'''
GAP_DECK = """
plexus: 1
mesh: {type: interval, cells: 10, regions: {one: x < 0.5, two: x > 0.5}}
physics: {type: diffusion, coefficient: 1}
boundary: [{on: left, u: 3}, {on: right, u: 0}, {on: one|two, gap: {factor: 2}}]
quantities:
  faces: {type: mean, of: u, on: {interface: one|two, from: one}}
  through: {type: flux, of: u_flux, on: {interface: one|two, from: one}, by: terms}
"""


def test_a_term_between_two_sides_is_one_file_too(newcomer):
    newcomer.install("boundary", "gap", GAP)
    found = newcomer.run(GAP_DECK)["quantities"]
    # 2 (3 - u_1) = 2 (u_1³ - u_2³) = 2 u_2 with u_2 = 3 - u_1
    one = found["faces"]
    assert abs(one**3 - (3 - one) ** 3 - (3 - one)) < 1e-7
    assert abs(found["through"] - 2 * (3 - one)) < 1e-7


SIDE = '''
"""Exchange through a film: the flux h (w - u) enters. Source: doi:10.1016/C2009-0-11088-6."""

from typing import Any

from plexus.deck.params import Field, Property
from plexus.formulation.terms import Term, TermParams
from plexus.protocols import Flux, SideLaw
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"film": 2, "outside": 1}


class FilmParams(TermParams):
    """Parameters of the film."""

    film: Property = Field(description="coefficient h")
    outside: Property = Field(description="value w outside")


@register("boundary", "film", FilmParams)
class Film(Term):
    """The term ∫ h (u - w) v ds on elements, D ∂u/∂n = h w - h u on the sides of a grid."""

    joins = ("u", "concentration")

    def flux(self, p):
        """Return f0 = h (u - w)."""
        return Flux(f0=self.params.film(p) * (p.u - self.params.outside(p)))

    def side(self):
        """Return the same for a side."""
        film, outside = self.params.film, self.params.outside
        return SideLaw(Product(film, outside), film)


class Product:
    """The product of two properties."""

    def __init__(self, a, b):
        self.a, self.b, self.names = a, b, a.names | b.names

    def __call__(self, p):
        """Return their product at points."""
        return self.a(p) * self.b(p)
'''
GRID = """
plexus: 1
mesh: {type: interval, cells: 20}
physics: {type: advection_diffusion, velocity: [0], diffusivity: 3}
boundary: [{on: left, concentration: 5}, {on: right, film: {film: 6, outside: 2}}]
quantities:
  middle: {type: value, of: concentration, at: [0.475]}
"""


def test_a_term_serves_elements_and_the_sides_of_a_grid(newcomer):
    """A slab: 3 (5 - u_1) = 6 (u_1 - 2), so u_1 = 3 and u falls by 2 over its length."""
    newcomer.install("boundary", "film", SIDE)
    assert abs(newcomer.run(GRID)["quantities"]["middle"] - (5 - 2 * 0.475)) < 1e-9
    same = GRID.replace("advection_diffusion, velocity: [0], diffusivity: 3", "diffusion, coefficient: 3")
    same = same.replace("concentration", "u")
    assert abs(newcomer.run(same, out="elements")["quantities"]["middle"] - (5 - 2 * 0.475)) < 1e-9


def test_a_term_of_weak_forms_alone_is_refused_on_a_grid(newcomer):
    newcomer.install("boundary", "cubic", MEMBER.replace('joins = ("u",)', 'joins = ("u", "concentration")'))
    text = newcomer.refused(GRID.replace("film: {film: 6, outside: 2}", "cubic: {factor: 2}"))
    assert "boundary[1].cubic" in text and "sides of a grid" in text
