"""Plasticity after von Mises without delay: J₂(s - X) ≤ R, with isotropic and kinematic hardening.

    R = R₀ + H p + Q (1 - e^(-b p)),    X = Σ 2/3 C_i a_i,    da_i = dε_p - D_i a_i dp

====== ================================ ====
symbol meaning                          unit
====== ================================ ====
R₀     yield stress                     Pa
H, Q   slope and limit of hardening     Pa
b      rate of its saturation           1
C_i    moduli of the back stresses      Pa
D_i    recalls; 0 after Prager          1
p      cumulated plastic strain         1
====== ================================ ====

Source: J. C. Simo, T. J. R. Hughes, Computational Inelasticity, Springer 1998, chapters 1 to 3; P. J.
Armstrong, C. O. Frederick, CEGB report RD/B/N731 (1966). Integration: `plexus.laws._flow`. Valid for metals
at small strain, where the rate does not matter.
"""

from __future__ import annotations

from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.formulation.material import Material
from plexus.laws._mises import BackStress, Hardening, Mises
from plexus.registry import register


class J2Params(Material):
    """Parameters of `J2`, beside the elastic ones of the material."""

    yield_stress: Annotated[Property, Unit("Pa"), Within(gt=0)] = Field(description="yield stress R₀")
    hardening: Hardening | None = Field(None, description="isotropic hardening; absent: none")
    back_stresses: tuple[BackStress, ...] = Field((), description="kinematic hardening; absent: none")


@register("law", "j2", J2Params)
class J2(Mises):
    """Rate-independent plasticity."""

    def __init__(self, params: J2Params):
        super().__init__(params, params.yield_stress, params.hardening, params.back_stresses)


EXAMPLE: dict[str, Any] = {
    "young_modulus": "210 GPa",
    "poisson_ratio": 0.3,
    "yield_stress": "250 MPa",
    "hardening": {"slope": "1 GPa"},
}
