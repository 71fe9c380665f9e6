"""Small-strain isotropic elasticity with thermal expansion, in equilibrium.

    -∇·σ = b,    σ = λ tr(ε - ε_th) I + 2μ (ε - ε_th),    ε = sym ∇u,    ε_th = e_th(T) I

====== ================================= =====
symbol meaning                           unit
====== ================================= =====
u      displacement                      m
σ      stress, positive in tension       Pa
ε      strain                            1
b      body force per volume             N/m³
ω      speed of rotation                 rad/s
λ, μ   Lamé's constants from E(T), ν(T)  Pa
e_th   linear thermal strain             1
====== ================================= =====

``body_force`` is part of b as it is, ``gravity`` g adds ρ g, ``rotation`` about an axis ρ ω² r with the
vector r from the axis in the unloaded body. Geometries: ``solid`` (3-D), ``plane_strain`` (with a prescribed
``normal_strain``, 0 by default), ``plane_stress`` (λ is replaced by 2λμ/(λ + 2μ)), ``axisymmetric`` (x
radius, y axis, hoop strain u_r/r) and ``bar`` (1-D, free on all sides: σ = E (ε - e_th)). Source: S. P.
Timoshenko, J. N. Goodier, Theory of Elasticity, 3rd ed., McGraw-Hill 1970, chapters 2, 4 and 13. Valid for
strains and rotations well below 1 and stresses below yield; ν close to 1/2 locks with these
elements, unless ``locking: b_bar`` cures it (`plexus.formulation.hooke`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from plexus.deck.params import Expression, Field
from plexus.fields.arrays import einsum, eye
from plexus.formulation import kinematics
from plexus.formulation.hooke import Hooke, State, elastic_tensor
from plexus.formulation.manufactured import Manufactured
from plexus.formulation.material import Material
from plexus.formulation.solid import DISPLACEMENT, Body, BodyParams, TemperedParams
from plexus.protocols import Array, Derived, FieldSpec, Flux, Point, Tangent
from plexus.registry import register


class SolidParams(BodyParams):
    """Parameters of every model that contains an elastic body."""

    material: Material = Field(description="young_modulus, poisson_ratio; density for gravity; expansion")

    @property
    def solid(self) -> Material:
        """The data of the body."""
        return self.material


class ElasticityParams(SolidParams, TemperedParams):
    """Parameters of `Elasticity`."""


@register("physics", "elasticity", ElasticityParams)
class Elasticity:
    """One equilibrium equation, at a prescribed temperature if one is given."""

    def __init__(self, params: ElasticityParams):
        self.equations = [Equilibrium(params, params.temperature)]

    @staticmethod
    def fields(params: ElasticityParams) -> Sequence[FieldSpec]:
        """Return the displacement."""
        return (DISPLACEMENT,)


class Equilibrium(Body):
    """Equilibrium of an elastic body."""

    linear = True

    def __init__(self, params: SolidParams, temperature: Expression | None = None):
        params.material.need("elasticity", "young_modulus", "poisson_ratio")
        super().__init__(params, temperature)
        self.law = Hooke(params.material, self.straining)

    def flux(self, p: Point) -> Flux:
        """Return f1 = σ and f0 = -b, plus σ_θ/r in the radial direction of an axisymmetric section."""
        kinematics.check_dimension(self.params.geometry, p.dim)
        stress, normal = self.law.forces(p)
        return Flux(f0=self._loaded(p, normal), f1=stress)

    def tangent(self, p: Point) -> Tangent:
        """Return the elastic tensor, and the hoop couplings of an axisymmetric section."""
        lam, mu = self.law.lame(p)
        joint = self.law.joint(p)
        if joint is not None:
            # the shape alone resists at the point, the volume in the cell: σ' = 2μ (ε - θ/3 I)
            lam = -2.0 / 3.0 * mu
        c11 = elastic_tensor(lam, mu, p.dim)
        if self.params.geometry != "axisymmetric":
            return Tangent(c11=c11, joint=joint, symmetric=True)
        r = p.x[..., 0]
        i = eye(2, r)  # i[0] is the radial direction
        # σ gains λ u_r/r I, and v_r meets σ_θ/r = (λ tr e + (λ + 2μ) u_r/r)/r
        coupling = einsum("...,a,bc->...abc", lam / r, i[0], i)
        return Tangent(
            c00=einsum("...,a,b->...ab", (lam + 2.0 * mu) / r**2, i[0], i[0]),
            c01=coupling,
            c10=einsum("...abc->...bca", coupling),
            c11=c11,
            joint=joint,
            symmetric=True,
        )

    def derived(self) -> Sequence[Derived]:
        """Return strain, stress, the stress normal to a section, and scalars made of them."""

        def field(
            name: str, unit: str, tip: str, formula: Callable[[State], Array], rows: int = 0
        ) -> Derived:
            spec = FieldSpec(name, unit, "tensor" if rows else "scalar", tip, rows=rows)
            return Derived(spec, lambda p: formula(self.law.state(p)))

        normal = {"axisymmetric": ", zz along the hoop"}.get(self.params.geometry, "")
        total = FieldSpec("strain", "1", "tensor", f"total strain{normal}", rows=3)
        fields = [
            Derived(total, self.law.total),
            field("stress", "Pa", f"stress{normal}", State.tensor, rows=3),
            field("von_mises", "Pa", "von Mises stress", State.von_mises),
            field("max_principal", "Pa", "largest principal stress", State.max_principal),
            field("energy_density", "J/m^3", "elastic energy per volume", State.energy_density),
        ]
        # a solid has no section, and plane stress nothing normal to it
        if self.params.geometry in ("plane_strain", "axisymmetric"):
            tip = "stress normal to the section"
            fields.append(field("normal_stress", "Pa", tip, lambda s: s.normal_stress))
        return fields + self._tempered()


EXAMPLE: dict[str, Any] = {
    "geometry": "plane_stress",
    "material": {"young_modulus": "210 GPa", "poisson_ratio": 0.3},
}


def manufactured() -> list[Manufactured]:
    """Return smooth displacements in 3-D, in the plane geometries, in a meridian section and in a bar."""
    # E varies, so that ∇·σ contains ∇E too
    material = {"young_modulus": "1 + 0.2*x", "poisson_ratio": 0.3}
    plane = ["sin(2*x + 0.3)*cos(1.5*y)", "cos(x)*sin(2*y + 0.2)"]
    solid = ["sin(2*x + 0.3)*cos(y)*z", "cos(x)*sin(2*y + 0.2)*exp(0.5*z)", "sin(x + y)*cos(1.5*z)"]
    cases = {"solid": {3: solid}, "bar": {1: ["sin(2*x + 0.3)"]}}
    cases |= {geometry: {2: plane} for geometry in ("plane_strain", "plane_stress", "axisymmetric")}
    return [
        Manufactured(
            geometry,
            {"type": "elasticity", "geometry": geometry, "material": material},
            {"displacement": exact},
        )
        for geometry, exact in cases.items()
    ]
