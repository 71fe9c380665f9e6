"""Elastic body at finite strain in equilibrium, on its unloaded shape.

    -∇·P = b,    P = ∂W/∂F,    F = I + ∇u

====== =================================================== =====
symbol meaning                                             unit
====== =================================================== =====
u      displacement                                        m
P      first Piola-Kirchhoff stress, per unloaded area     Pa
F      gradient of the deformation                         1
W      energy per unloaded volume, kind ``potential``      J/m³
b      body force per unloaded volume                      N/m³
====== =================================================== =====

Gradients, integrals, tractions and loads are those of the unloaded body: loads keep direction and size.
Fields of stress are Cauchy's, σ = P Fᵀ/J, strain is Green's, (FᵀF - I)/2. A guess of Newton's method that
turns a point inside out, det F ≤ 0, has no answer; the step is then repeated with a shorter one where it
may be. Geometries: ``solid``, ``plane_strain``. Source: J. Bonet, R. D. Wood, Nonlinear Continuum Mechanics
for Finite Element Analysis, 2nd ed., Cambridge 2008, chapters 4 to 8. Valid without inertia, and where
nothing buckles or folds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import model_validator

from plexus import registry
from plexus.deck.params import Component, Field, Params
from plexus.deck.property import PointNames
from plexus.deck.values import refuse
from plexus.fields.arrays import einsum, eye
from plexus.formulation import kinematics
from plexus.formulation.hooke import State
from plexus.formulation.manufactured import Manufactured
from plexus.formulation.material import Material
from plexus.formulation.solid import DISPLACEMENT, Body, TemperedParams
from plexus.protocols import Array, Derived, FieldSpec, Flux, Point, Potential, Tangent
from plexus.registry import register

POTENTIAL = "physics.potential"
"""Deck path of the potential."""


class HyperelasticityParams(TemperedParams):
    """Parameters of `Hyperelasticity`."""

    potential: Annotated[Params, Component("potential")] = Field(
        description="energy of the material, with its data; density for gravity"
    )

    holder: ClassVar[str] = "potential"

    @property
    def solid(self) -> Material:
        """The data of the body."""
        assert isinstance(self.potential, Material)
        return self.potential

    @model_validator(mode="after")
    def _finite(self) -> HyperelasticityParams:
        if self.geometry not in ("solid", "plane_strain"):
            raise refuse(f"{self.geometry}: finite strain is for solid and plane_strain")
        if self.locking != "none":
            raise refuse("locking: b_bar is a cure at small strain; take degree: 2")
        for name, why in (
            ("rotation", "its force follows the displaced points"),
            ("expansion", "thermal strain is added at small strain only"),
        ):
            if getattr(self if name == "rotation" else self.solid, name) is not None:
                raise refuse(f"{name}: not at finite strain: {why}")
        return self


@register("physics", "hyperelasticity", HyperelasticityParams)
class Hyperelasticity:
    """One equilibrium equation at finite strain."""

    def __init__(self, params: HyperelasticityParams):
        self.equations = [Deforming(params)]

    @staticmethod
    def fields(params: HyperelasticityParams) -> Sequence[FieldSpec]:
        """Return the displacement."""
        return (DISPLACEMENT,)


class Deforming(Body):
    """Equilibrium of a body with an energy of kind ``potential``."""

    # a pressure would follow the turning surface
    boundary_terms = ("traction", "force", "spring")

    def __init__(self, params: HyperelasticityParams):
        super().__init__(params, params.temperature)
        self.potential: Potential = registry.build("potential", params.potential)
        if params.potential.learned:
            self.learned = {POTENTIAL: self.potential}

    def flux(self, p: Point) -> Flux:
        """Return f1 = P and f0 = -b."""
        kinematics.check_dimension(self.params.geometry, p.dim)
        stress, _ = self.potential.respond(self._heated(p), self.gradient(p))
        return Flux(f0=self._loaded(p, None), f1=stress[..., : p.dim, : p.dim])

    def tangent(self, p: Point) -> Tangent:
        """Return ∂P/∂F, symmetric as a second derivative."""
        d = p.dim
        _, slope = self.potential.respond(self._heated(p), self.gradient(p), slope=True)
        assert slope is not None
        return Tangent(c11=slope[..., :d, :d, :d, :d], symmetric=True)

    def judge(self, p: Point) -> None:
        """Show F of a solution to a learned potential."""
        self.learned[POTENTIAL].judge(self.gradient(p))

    def gradient(self, p: Point) -> Array:
        """Return F in all directions, (C, Q, 3, 3)."""
        grad = p.fields["displacement"].grad
        normal = None
        if self.params.geometry == "plane_strain":
            normal = self.params.normal_strain.sure(PointNames(p)) + 0.0 * grad[..., 0, 0]
        rows = kinematics.full(grad, [normal] * (3 - p.dim))
        return rows.reshape(*rows.shape[:2], 3, 3) + eye(3, rows)

    def unanswered(self, p: Point) -> tuple[Array, Array, str]:
        """Return where a point is turned inside out, and F."""
        f = self.gradient(p)
        return _det(f) <= 0.0, f, "a point is turned inside out, F"

    def derived(self) -> Sequence[Derived]:
        """Return strain, stress, scalars made of it, change of volume and energy."""

        def known(
            name: str, unit: str, tip: str, formula: Callable[[Point], Array], rows: int = 0
        ) -> Derived:
            return Derived(FieldSpec(name, unit, "tensor" if rows else "scalar", tip, rows=rows), formula)

        def of_stress(formula: Callable[[State], Array]) -> Callable[[Point], Array]:
            def at(p: Point) -> Array:
                stress = self._cauchy(p)
                return formula(State(stress, None, stress, None))

            return at

        def energy(p: Point) -> Array:
            return self.potential.energy(self._heated(p), self.gradient(p))

        return [
            known("strain", "1", "Green's strain", self._green, rows=3),
            known("stress", "Pa", "Cauchy stress", of_stress(State.tensor), rows=3),
            known("von_mises", "Pa", "von Mises stress", of_stress(State.von_mises)),
            known("max_principal", "Pa", "largest principal stress", of_stress(State.max_principal)),
            known("volume_ratio", "1", "volume over unloaded volume", lambda p: _det(self.gradient(p))),
            known("energy_density", "J/m^3", "energy per unloaded volume", energy),
            *self._tempered(),
        ]

    def _green(self, p: Point) -> Array:
        """Return (FᵀF - I)/2, (C, Q, 9)."""
        f = self.gradient(p)
        strain = 0.5 * (einsum("...mJ,...mL->...JL", f, f) - eye(3, f))
        return strain.reshape(*strain.shape[:2], 9)

    def _cauchy(self, p: Point) -> Array:
        """Return P Fᵀ/J, (C, Q, 3, 3)."""
        f = self.gradient(p)
        stress, _ = self.potential.respond(self._heated(p), f)
        return einsum("...iA,...kA->...ik", stress, f) / _det(f)[..., None, None]


def _det(f: Array) -> Array:
    """Return det F."""
    a, b, c = f[..., 0, :], f[..., 1, :], f[..., 2, :]
    return (
        a[..., 0] * (b[..., 1] * c[..., 2] - b[..., 2] * c[..., 1])
        + a[..., 1] * (b[..., 2] * c[..., 0] - b[..., 0] * c[..., 2])
        + a[..., 2] * (b[..., 0] * c[..., 1] - b[..., 1] * c[..., 0])
    )


EXAMPLE: dict[str, Any] = {
    "geometry": "plane_strain",
    "potential": {"type": "neo_hookean", "young_modulus": "2 MPa", "poisson_ratio": 0.4},
}


def manufactured() -> list[Manufactured]:
    """Return large displacements with energies."""
    soft = {"young_modulus": "1 + 0.2*x", "poisson_ratio": 0.3}
    energies = {
        "neo_hookean": soft,
        "st_venant": soft,
        "mooney_rivlin": {"c10": "0.3 + 0.1*x", "c01": 0.1, "bulk_modulus": 1},
    }
    plane = ["0.15*sin(2*x + 0.3)*cos(1.5*y) + 0.2*y", "0.15*cos(x)*sin(2*y + 0.2)"]
    solid = [
        "0.1*sin(2*x + 0.3)*cos(y)*z + 0.2*y",
        "0.1*cos(x)*sin(2*y + 0.2)*exp(0.5*z)",
        "0.1*sin(x + y)*cos(z)",
    ]
    cases = [("solid", "neo_hookean", {3: solid})]
    cases += [("plane_strain", name, {2: plane}) for name in energies]
    return [
        Manufactured(
            f"{geometry}_{name}",
            {
                "type": "hyperelasticity",
                "geometry": geometry,
                "potential": {"type": name, **energies[name]},
            },
            {"displacement": exact},
            # from rest the moved boundary alone would turn its cells inside out
            {"initial": {"displacement": next(iter(exact.values()))}},
        )
        for geometry, name, exact in cases
    ]
