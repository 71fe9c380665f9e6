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

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import model_validator

from plexus.deck.params import Expression, Field, Property, Unit
from plexus.deck.property import PointNames
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.fields.arrays import einsum, eye, stack
from plexus.formulation import kinematics
from plexus.formulation.base import EquationBase, PhysicsParams
from plexus.formulation.cellwise import Cellwise
from plexus.formulation.entries import PerAxis, check_per_axis
from plexus.formulation.hooke import Hooke, State, elastic_tensor
from plexus.formulation.kinematics import FitsMesh, Geometry, Section
from plexus.formulation.manufactured import Manufactured
from plexus.formulation.material import Material
from plexus.formulation.points import Values, with_field
from plexus.formulation.rotation import Rotation
from plexus.protocols import Array, Derived, FieldSpec, Flux, Point, Tangent
from plexus.registry import register

LOCKING = ("solid", "plane_strain", "axisymmetric")
"""Geometries whose volume cannot change freely as ν goes to 1/2."""
NEARLY = 0.49
"""Poisson's ratio above which volumetric locking is told."""
DISPLACEMENT = FieldSpec("displacement", "m", "vector", "displacement from the unloaded body")


class SolidParams(PhysicsParams):
    """Parameters of every model that contains an elastic body."""

    material: Material = Field(description="young_modulus, poisson_ratio; density for gravity; expansion")
    geometry: Annotated[Geometry, FitsMesh] = Field(
        "solid", description="what the mesh is: the body or one of its sections"
    )
    thickness: Annotated[float, Unit("m")] = Field(
        1.0, gt=0, description="thickness of a plane section, or of a bar 1 m wide"
    )
    locking: Literal["none", "b_bar"] = Field(
        "none",
        description="b_bar: for nu near 0.5, the volume of a cell changes as a whole "
        "(polynomials one degree lower)",
    )
    normal_strain: Annotated[Expression, Unit("1")] = Field(
        0.0, description="strain normal to a plane-strain section"
    )
    body_force: Annotated[tuple[Annotated[Property, Unit("N/m^3")], ...] | None, PerAxis] = Field(
        None, description="force per volume, one entry per direction"
    )
    gravity: Annotated[tuple[Annotated[float, Unit("m/s^2")], ...] | None, PerAxis] = Field(
        None, description="acceleration; adds density times it to the body force"
    )
    rotation: Rotation | None = Field(None, description="steady rotation; adds its centrifugal force")

    @model_validator(mode="after")
    def _turns(self) -> SolidParams:
        if self.rotation is not None and (problem := self.rotation.misfit(self.geometry)):
            raise refuse(problem)
        return self

    @model_validator(mode="after")
    def _locks(self) -> SolidParams:
        if self.locking != "none" and self.geometry not in LOCKING:
            raise refuse(
                f"{self.geometry} is free to change its thickness and does not lock: leave `locking` out"
            )
        return self

    @property
    def varies(self) -> bool:
        """Whether the temperature differs from place to place."""
        return True

    @property
    def least_degree(self) -> int:
        """Two where a temperature strains: the strain of degree 1 cannot follow one that varies."""
        return 2 if self.material.expansion is not None and self.varies else 1

    def cautions(self, degree: int, cell: str, simplex: bool) -> Iterator[str]:
        """Yield what is allowed and seldom wanted on these elements.

        Raises
        ------
        InputError
            If the cure against locking has no effect on these elements.
        """
        if degree == 1 and simplex and self.locking != "none":
            raise InputError(
                f"physics.locking: the strain of degree 1 on {cell} cells is constant in each and its own "
                "mean: nothing is cured; use degree: 2"
            )
        here = "physics.degree" if self.degree is not None else "physics"
        if degree == 1 and simplex and self.geometry != "bar":
            yield f"{here}: elements of degree 1 on {cell} cells are far too stiff in bending; use degree: 2"
        elif degree < self.least_degree:
            yield (
                f"{here}: a temperature that varies within a cell leaves stresses of elements of degree 1 "
                "where there are none; use degree: 2"
            )
        if self.can_lock and self.material.poisson_ratio is not None:
            text = self.locks(max(self.material.poisson_ratio.stated(), default=0.0))
            yield from () if text is None else (f"physics.material.poisson_ratio: {text}",)

    @property
    def can_lock(self) -> bool:
        """Whether nothing is done against locking where the geometry locks."""
        return self.locking == "none" and self.geometry in LOCKING

    def locks(self, nu: float) -> str | None:
        """Return the warning for a Poisson's ratio near 1/2, None for one that is not."""
        if nu <= NEARLY:
            return None
        return (
            f"elements lock near 0.5, and {nu:g} is above {NEARLY:g}: displacements come out too small and "
            "stresses wrong; say locking: b_bar, with degree: 2 on triangles and tetrahedra"
        )


class ElasticityParams(SolidParams):
    """Parameters of `Elasticity`."""

    temperature: Annotated[Expression, Unit("K")] | None = Field(
        None, description="prescribed temperature for temperature-dependent data and expansion"
    )

    @model_validator(mode="after")
    def _heated(self) -> ElasticityParams:
        if self.material.expansion is not None and self.temperature is None:
            raise refuse(
                "expansion of the material needs the body's temperature: give `temperature`, leave "
                "`expansion` out, or take `type: thermoelasticity`"
            )
        return self

    @property
    def varies(self) -> bool:
        """Whether the temperature differs from place to place."""
        return self.temperature is not None and not {"x", "y", "z"}.isdisjoint(self.temperature.names)


@register("physics", "elasticity", ElasticityParams)
class Elasticity:
    """One equilibrium equation, at a prescribed temperature if one is given."""

    def __init__(self, params: ElasticityParams):
        self.equations = [Equilibrium(params, params.temperature)]

    @staticmethod
    def fields(params: ElasticityParams) -> Sequence[FieldSpec]:
        """Return the displacement."""
        return (DISPLACEMENT,)


class Equilibrium(EquationBase):
    """Equilibrium of an elastic body.

    Parameters
    ----------
    params : SolidParams
        Material, geometry and loads.
    temperature : Expression, optional
        Prescribed temperature; without it a field ``temperature`` of the run is read.
    """

    field = DISPLACEMENT
    linear = True
    near_nullspace = "rigid"
    boundary_terms = ("traction", "pressure", "force", "spring")
    flux_unit = "Pa"

    def __init__(self, params: SolidParams, temperature: Expression | None = None):
        params.material.need("elasticity", "young_modulus", "poisson_ratio")
        for name in ("gravity", "rotation"):
            if getattr(params, name) is not None:
                params.material.need(name, "density")
        self.params = params
        self.temperature = temperature
        self.section = Section(params.geometry, params.thickness)
        cells, cure = Cellwise(self.section.measure), params.locking == "b_bar"
        self.law = Hooke(params.material, params.geometry, params.normal_strain, self._heated, cells, cure)

    def flux(self, p: Point) -> Flux:
        """Return f1 = σ and f0 = -b, plus σ_θ/r in the radial direction of an axisymmetric section."""
        kinematics.check_dimension(self.params.geometry, p.dim)
        stress, normal = self.law.forces(p)
        force = self._body_force(self._heated(p))
        f0 = None if force is None else -force
        if self.params.geometry == "axisymmetric":
            # the test function strains the hoop by v_r/r: σ_θ v_r/r joins f0·v
            assert normal is not None
            hoop = normal / p.x[..., 0]
            f0 = _sum(f0, stack([hoop, 0.0 * hoop], -1))
        return Flux(f0=f0, f1=stress)

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

    def measure(self, x: Array) -> Array | None:
        """Return 2πr, the thickness, or None."""
        return self.section.measure(x)

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
        # a prescribed temperature is a field like any other for outputs and expressions
        if self.temperature is not None:
            spec = FieldSpec("temperature", "K", "scalar", "prescribed temperature")
            fields.append(Derived(spec, lambda p: self._heated(p).fields["temperature"].value))
        return fields

    def _heated(self, p: Point) -> Point:
        """Return the point with the prescribed temperature among its fields."""
        if self.temperature is None:
            return p
        # 0 x_0 gives a constant the shape of the points
        value = self.temperature.sure(PointNames(p)) + 0.0 * p.x[..., 0]
        return with_field(p, "temperature", Values(value))

    def _body_force(self, p: Point) -> Array | None:
        """Return b + ρ (g + ω² r), (C|1, Q|1, d), or None without loads."""
        b, g = self.params.body_force, self.params.gravity
        for name, entries in (("body_force", b), ("gravity", g)):
            if entries is not None:
                check_per_axis(f"physics.{name}", len(entries), p.dim)
        force = None if b is None else stack([component(p) for component in b])
        rotation = self.params.rotation
        if g is None and rotation is None:
            return force
        rho = self.params.material.density(p)  # type: ignore[misc]
        if g is not None:
            force = _sum(force, stack([rho * component for component in g]))
        if rotation is not None:
            force = _sum(force, rho[..., None] * rotation.acceleration(p, self.params.geometry))
        return force


def _sum(a: Array | None, b: Array) -> Array:
    """Return a + b, where a may be missing."""
    return b if a is None else a + b


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
