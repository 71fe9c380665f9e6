"""A solid with memory in equilibrium: elastic, plastic, viscous, as its law says, at small strain.

    -∇·σ = b,    σ = σ(ε - ε_th, memory, Δt),    ε = sym ∇u,    ε_th = e_th(T) I

====== ========================================= =====
symbol meaning                                   unit
====== ========================================= =====
u      displacement                              m
σ      stress, positive in tension               Pa
ε      strain                                    1
b      body force per volume, as in elasticity   N/m³
e_th   linear thermal strain                     1
====== ========================================= =====

The law (kind ``law``) remembers at the quadrature points, e.g. a plastic strain, and holds all data of the
material; they may depend on the temperature, taken at the end of the step. A step is one of backward Euler.
Stresses are known at the quadrature points; elsewhere they are recovered from there. Geometries: ``solid``,
``plane_strain``, ``axisymmetric``. Source: J. C. Simo, T. J. R. Hughes, Computational Inelasticity, Springer
1998, chapters 1 and 4. Plastic strain keeps the volume, as ν near 1/2 does: `locking: b_bar` keeps elements
from locking (`plexus.formulation.straining`). `quadrature: reduced` takes rules of degree 2 on simplices of
degree 2, which keep the orders (P. G. Ciarlet, The Finite Element Method for Elliptic Problems, North-Holland
1978, section 4.1) and give the cure its means: those of a dilatation of degree 1, over straight cells exact.
Valid for strains and rotations well below 1, without inertia.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import model_validator

from plexus import registry
from plexus.deck.params import Component, Field, Params
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.fields.arrays import einsum, eye
from plexus.formulation import kinematics
from plexus.formulation.hooke import State
from plexus.formulation.manufactured import Manufactured
from plexus.formulation.material import Material
from plexus.formulation.points import spread
from plexus.formulation.solid import DISPLACEMENT, Body, TemperedParams
from plexus.formulation.straining import volumetric
from plexus.protocols import Array, Derived, FieldSpec, Flux, Law, Point, Tangent
from plexus.registry import register

LAW = "physics.law"
"""Deck path of the law."""


class ElastoviscoplasticParams(TemperedParams):
    """Parameters of `Elastoviscoplastic`."""

    law: Annotated[Params, Component("law")] = Field(
        description="how the material answers a path of strain, with its data; density for loads of mass"
    )

    quadrature: Literal["full", "reduced"] = Field(
        "full",
        description="reduced: at degree 2 triangles take 3 points of 6, tetrahedra 4 of 14; exact if cells "
        "are straight",
    )

    holder: ClassVar[str] = "law"

    @property
    def solid(self) -> Material:
        """The data of the body."""
        assert isinstance(self.law, Material)
        return self.law

    @model_validator(mode="after")
    def _whole(self) -> ElastoviscoplasticParams:
        if self.geometry in ("plane_stress", "bar"):
            raise refuse(
                f"{self.geometry}: a law takes the strain in all directions, and here the one normal to the "
                "section follows from a free surface; use solid, plane_strain or axisymmetric"
            )
        if self.locking != "none" and not registry.component("law", self.law.type).cls.isochoric:  # type: ignore[attr-defined]
            raise refuse(
                f"locking: {self.law.type} may change the mean stress where the shape changes, which "
                "b_bar takes apart: leave it out, with degree: 2"
            )
        return self

    def cautions(self, degree: int, cell: str, simplex: bool) -> Iterator[str]:
        """Yield what is allowed and seldom wanted on these elements.

        Raises
        ------
        InputError
            If the reduced rule leaves motions of such elements without stiffness.
        """
        if self.quadrature == "reduced" and (degree != 2 or cell not in ("triangle", "tetrahedron")):
            raise InputError(
                "physics.quadrature: reduced is for triangles and tetrahedra of degree 2; on "
                f"{cell} cells of degree {degree} it leaves motions without stiffness: leave it out"
            )
        yield from super().cautions(degree, cell, simplex)


@register("physics", "elastoviscoplastic", ElastoviscoplasticParams)
class Elastoviscoplastic:
    """One equilibrium equation, whose law remembers."""

    def __init__(self, params: ElastoviscoplasticParams):
        self.equations = [Remembering(params)]

    @staticmethod
    def fields(params: ElastoviscoplasticParams) -> Sequence[FieldSpec]:
        """Return the displacement."""
        return (DISPLACEMENT,)


class Remembering(Body):
    """Equilibrium of a body with a law of kind ``law``."""

    def __init__(self, params: ElastoviscoplasticParams):
        super().__init__(params, params.temperature)
        self.law: Law = registry.build("law", params.law)
        self.internal = tuple(self.law.internal)
        self.linear = self.law.linear
        if params.quadrature == "reduced":
            self.quadrature = 1
        if params.law.learned:
            self.learned = {LAW: self.law}

    def flux(self, p: Point) -> Flux:
        """Return f1 = σ and f0 = -b, plus σ_θ/r in the radial direction of an axisymmetric section."""
        kinematics.check_dimension(self.params.geometry, p.dim)
        strain = self.strain_of(p)
        stress = self.law.respond(self._heated(p), strain).stress
        if self.straining.b_bar:
            stress = stress + self._cured(p, strain)[..., None, None] * eye(3, stress)
        d = p.dim
        return Flux(f0=self._loaded(p, stress[..., 2, 2]), f1=stress[..., :d, :d])

    def tangent(self, p: Point) -> Tangent:
        """Return ∂σ/∂ε of the step, and the hoop couplings of an axisymmetric section."""
        slope = self.law.respond(self._heated(p), self.strain_of(p), tangent=True).tangent
        assert slope is not None
        joint = None
        if self.straining.b_bar:
            # the shape alone resists at the point, the volume in the cell
            bulk, i = self.law.bulk(self._heated(p)), eye(3, slope)
            slope = slope - bulk[..., None, None, None, None] * einsum("ij,kl->ijkl", i, i)
            joint = self.straining.joint(p, bulk)
        d, symmetric = p.dim, self.law.symmetric
        c11 = slope[..., :d, :d, :d, :d]
        if self.params.geometry != "axisymmetric":
            return Tangent(c11=c11, joint=joint, symmetric=symmetric)
        # ε_θ = u_r/r, and v_r meets σ_θ/r
        radial, r = eye(2, slope)[0], p.x[..., 0]
        hoop = slope[..., 2, 2, :2, :2] / r[..., None, None]
        across = slope[..., :2, :2, 2, 2] / r[..., None, None]
        return Tangent(
            c00=einsum("...,a,b->...ab", slope[..., 2, 2, 2, 2] / r**2, radial, radial),
            c01=einsum("a,...bc->...abc", radial, hoop),
            c10=einsum("...ab,c->...abc", across, radial),
            c11=c11,
            joint=joint,
            symmetric=symmetric,
        )

    def advance(self, p: Point) -> Mapping[str, Array]:
        """Return what the law remembers at the end of the step."""
        return self.law.respond(self._heated(p), self.strain_of(p), memory=True).memory

    def judge(self, p: Point) -> None:
        """Show the strain of a solution to a learned law."""
        self.learned[LAW].judge(self.strain_of(p))

    def derived(self) -> Sequence[Derived]:
        """Return strain, stress, and scalars made of it."""

        def known(
            name: str, unit: str, tip: str, formula: Callable[[Point], Array], rows: int = 0
        ) -> Derived:
            spec = FieldSpec(name, unit, "tensor" if rows else "scalar", tip, rows=rows)
            return Derived(spec, formula, stored=True)

        def of_stress(formula: Callable[[State], Array]) -> Callable[[Point], Array]:
            def at(p: Point) -> Array:
                stress = self._stress(p)
                return formula(State(stress, None, stress, None))

            return at

        def total(p: Point) -> Array:
            strain, normal = self.straining.total(p)
            return kinematics.full(strain, [normal] * (3 - p.dim))

        return [
            known("strain", "1", "total strain", total, rows=3),
            known("stress", "Pa", "stress", of_stress(State.tensor), rows=3),
            known("von_mises", "Pa", "von Mises stress", of_stress(State.von_mises)),
            known("max_principal", "Pa", "largest principal stress", of_stress(State.max_principal)),
            *self._stiffness(known),
            *self._tempered(),
        ]

    def _stiffness(self, known: Callable[..., Derived]) -> list[Derived]:
        """Return Young's modulus at the temperature, where the law has one."""
        modulus = self.params.solid.young_modulus
        if modulus is None:
            return []
        tip = "Young's modulus"
        return [known("young_modulus", "Pa", tip, lambda p: spread(modulus(self._heated(p)), p))]

    def _stress(self, p: Point) -> Array:
        """Return σ, (C, Q, 3, 3)."""
        return self.law.respond(self._heated(p), self.strain_of(p)).stress

    def strain_of(self, p: Point) -> Array:
        """Return total minus thermal strain in all directions, (C, Q, 3, 3)."""
        return _whole(p, *self.straining.elastic(p))

    def given_strain(self, p: Point) -> Array:
        """Return `strain_of` where nothing moves, (C, Q, 3, 3)."""
        return _whole(p, *self.straining.given(p))

    def linear_strain(self, p: Point) -> Array:
        """Return the part of `strain_of` that the displacement causes, (C, Q, 3, 3)."""
        return _whole(p, *self.straining.linear.elastic(p))

    def load(self, p: Point) -> Array | None:
        """Return f0 of the loads, that the law has no part in; None without."""
        force = self._body_force(self._heated(p))
        return None if force is None else -force

    def heated(self, p: Point) -> Point:
        """Return the point with the prescribed temperature among its fields."""
        return self._heated(p)

    def _cured(self, p: Point, strain: Array) -> Array:
        """Return Πs - s; the mean stress s = κ tr ε is that of no memory."""

        def bulk(q: Point) -> Array:
            return self.law.bulk(self._heated(q))

        dilatation = kinematics.trace(strain)
        if p.inside is not None and volumetric(p) == 0:
            # the cured dilatation is one number per cell
            return self.straining.change_of(p, bulk, bulk(p)) * dilatation

        def mean(q: Point) -> Array:
            return bulk(q) * kinematics.trace(self.strain_of(q))

        return self.straining.change_of(p, mean, bulk(p) * dilatation)


def _whole(p: Point, strain: Array, normal: Array | None) -> Array:
    """Return a strain in all directions, (C, Q, 3, 3), of that in the section and along its normal."""
    rows = kinematics.full(strain, [normal] * (3 - p.dim))
    return rows.reshape(*rows.shape[:2], 3, 3)


EXAMPLE: dict[str, Any] = {
    "geometry": "plane_strain",
    "law": {
        "type": "j2",
        "young_modulus": "210 GPa",
        "poisson_ratio": 0.3,
        "yield_stress": "250 MPa",
        "hardening": {"slope": "1 GPa"},
    },
}


def manufactured() -> list[Manufactured]:
    """Return one step from the virgin state, so large that the body flows everywhere."""
    law = {
        "type": "chaboche", "young_modulus": "1 + 0.2*x", "poisson_ratio": 0.3, "yield_stress": 0.05,
        "hardening": {"gain": 0.1, "rate": 2}, "viscosity": {"drag": 0.1, "exponent": 3},
        "back_stresses": [{"modulus": 0.5, "recall": 1}, {"modulus": 0.2}],
    }  # fmt: skip
    plane = ["0.3*sin(2*x + 0.3)*cos(1.5*y) + 2*y", "0.3*cos(x)*sin(2*y + 0.2)"]
    solid = [
        "0.3*sin(2*x + 0.3)*cos(y)*z + 2*y",
        "0.3*cos(x)*sin(2*y + 0.2)*exp(0.5*z)",
        "0.3*sin(x + y)*cos(z)",
    ]
    time = {"time": {"stepper": "quasistatic", "step": 1, "end": 1}}
    cases = {"solid": {3: solid}, "plane_strain": {2: plane}, "axisymmetric": {2: plane}}
    return [
        Manufactured(
            geometry,
            {"type": "elastoviscoplastic", "geometry": geometry, "law": law},
            {"displacement": exact},
            time,
        )
        for geometry, exact in cases.items()
    ]
