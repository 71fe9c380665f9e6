"""A law of a solid is one file and one deck: a Maxwell body, whose shear stress relaxes."""

MEMBER = '''
"""Maxwell body: shear stress relaxes, s = 2μ (dev e - v), dv/dt = (dev e - v)/τ, by backward Euler.

Source: J. C. Simo, T. J. R. Hughes, Computational Inelasticity, Springer 1998, chapter 10.
"""

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.fields.arrays import einsum, eye
from plexus.formulation.hooke import elastic_tensor
from plexus.formulation.material import Material
from plexus.protocols import FieldSpec, Response
from plexus.registry import register

EXAMPLE: dict[str, Any] = {"young_modulus": "2 GPa", "poisson_ratio": 0.3, "relaxation": "10 s"}
VISCOUS = FieldSpec("viscous_strain", "1", "tensor", "strain of the dashpot", rows=3)


class MaxwellParams(Material):
    """Parameters of the law, beside the elastic ones of the material."""

    relaxation: Annotated[Property, Unit("s"), Within(gt=0)] = Field(description="time of relaxation τ")


@register("law", "maxwell", MaxwellParams)
class Maxwell:
    """A spring and a dashpot in shear, a spring in compression."""

    internal = (VISCOUS,)
    linear, symmetric, isochoric = False, True, True

    def __init__(self, params: MaxwellParams):
        params.need("law", "young_modulus", "poisson_ratio")
        self.material, self.relaxation = params, params.relaxation

    def bulk(self, p):
        """Return κ."""
        e, nu = self.material.young_modulus(p), self.material.poisson_ratio(p)
        return e / (3.0 * (1.0 - 2.0 * nu))

    def respond(self, p, strain, tangent=False, memory=False):
        """Return σ = κ tr e + 2μ (dev e - v_n)/(1 + Δt/τ)."""
        kappa, nu = self.bulk(p), self.material.poisson_ratio(p)
        mu = self.material.young_modulus(p) / (2.0 + 2.0 * nu)
        one, trace = eye(3, strain), einsum("...ii->...", strain)[..., None, None]
        before = p.before["viscous_strain"].reshape(strain.shape)
        elastic = (strain - trace * one / 3.0 - before) / (1.0 + p.dt / self.relaxation(p))[..., None, None]
        stress = kappa[..., None, None] * trace * one + 2.0 * mu[..., None, None] * elastic
        soft = mu / (1.0 + p.dt / self.relaxation(p))
        slope = elastic_tensor(kappa - 2.0 * soft / 3.0, soft, 3) if tangent else None
        viscous = (strain - trace * one / 3.0 - elastic).reshape(*strain.shape[:2], 9)
        return Response(stress, slope, {"viscous_strain": viscous} if memory else {})
'''
BAR = """
plexus: 1
tables: {hold: {times: [0 s, 1 s], values: [0, 1]}}
mesh: {type: box, cell: hexahedron, cells: [2, 1, 1], size: [2 mm, 1 mm, 1 mm]}
physics:
  type: elastoviscoplastic
  degree: 1
  law: {type: maxwell, young_modulus: 2 GPa, poisson_ratio: 0.25, relaxation: 4 s}
boundary:
  - {on: left, displacement_x: 0}
  - {on: bottom, displacement_y: 0}
  - {on: top, displacement_y: 0}
  - {on: front, displacement_z: 0}
  - {on: back, displacement_z: 0}
  - {on: right, displacement_x: 2e-6*hold(t)}
time: {stepper: quasistatic, step: 1 s, end: 8 s}
solver: {displacement: mumps}
quantities: {stress: {type: mean, of: stress_xx}, across: {type: mean, of: stress_yy}}
"""


def test_one_file_and_one_deck(newcomer):
    """Held at 0.1 % in one direction: κ ε stays, 4/3 μ ε goes as (1 + Δt/τ)^-n."""
    newcomer.install("law", "maxwell", MEMBER)
    shear, mean = 2 * 0.8e9 * 1e-3 / 1.25**8, 4e9 / 3 * 1e-3
    for ranks in (1, 2):
        told = newcomer.run(BAR, out=f"n{ranks}", ranks=ranks)["quantities"]
        assert abs(told["stress"] - mean - 2 / 3 * shear) < 1e-7 * mean
        assert abs(told["across"] - mean + 1 / 3 * shear) < 1e-7 * mean
    assert "time of relaxation" in newcomer.explained()
