"""A criterion of life is one file and one deck: an amount of plastic work that a material bears in all."""

MEMBER = '''
"""Life by the sum of the plastic work: N = W_0 / W. Source: definition, a linear accumulation of work."""

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.life._curves import Curve, LifeParams
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"type": "total_work", "work": "1 GJ/m^3"}


class TotalWorkParams(LifeParams):
    """Parameters of the criterion."""

    work: Annotated[Property, Unit("J/m^3"), Within(gt=0)] = Field(description="work that is borne in all")


@register("life", "total_work", TotalWorkParams)
class TotalWork(Curve):
    """Work of a cycle over what is borne."""

    needs = frozenset({"stress", "young_modulus", "plastic_strain"})

    def damage(self, cycle):
        """Return W / W_0, (n,)."""
        return cycle.dissipated / self.taken("work", cycle)
'''
BAR = """
plexus: 1
tables: {pull: {times: [0 s, 1 s, 3 s, 4 s], values: [0, 1, -1, 0], period: 4 s}}
mesh: {type: box, cell: hexahedron, cells: [2, 1, 1], size: [2 mm, 1 mm, 1 mm]}
physics:
  type: elastoviscoplastic
  degree: 1
  law: {type: j2, young_modulus: 200 GPa, poisson_ratio: 0.3, yield_stress: 200 MPa}
boundary:
  - {on: left, displacement_x: 0}
  - {on: bottom, displacement_y: 0}
  - {on: back, displacement_z: 0}
  - {on: right, displacement_x: 10e-6*pull(t)}
time: {stepper: quasistatic, step: 0.5 s, cycles: 2}
solver: {displacement: mumps}
quantities: {life: {type: shortest_life}}
output: [{type: cycles, life: {type: total_work, work: 320 MJ/m^3}}]
"""


def test_one_file_and_one_deck(newcomer):
    """Ideally plastic at 200 MPa between ±0.5 %: 3.2 MJ/m³ in a cycle, so that 320 MJ/m³ last for 100."""
    newcomer.install("life", "total_work", MEMBER)
    told = newcomer.run(BAR)
    assert abs(told["quantities"]["life"] - 100) < 1e-3
    two = newcomer.run(BAR, out="two", ranks=2)
    assert abs(two["quantities"]["life"] - 100) < 1e-3
    assert "work that is borne" in newcomer.explained()
