"""What models of deformable bodies share: their parameters, loads, section and prescribed temperature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import model_validator

from plexus.deck.params import Expression, Field, Property, Unit
from plexus.deck.property import PointNames
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.fields.arrays import stack
from plexus.formulation.base import EquationBase, PhysicsParams
from plexus.formulation.cellwise import Cellwise
from plexus.formulation.entries import PerAxis, check_per_axis
from plexus.formulation.kinematics import FitsMesh, Geometry, Section
from plexus.formulation.material import Material
from plexus.formulation.points import Values, spread, with_field
from plexus.formulation.rotation import Rotation
from plexus.formulation.straining import Straining
from plexus.protocols import Array, Derived, FieldSpec, Point

LOCKING = ("solid", "plane_strain", "axisymmetric")
"""Geometries whose volume cannot change freely as ν goes to 1/2."""
NEARLY = 0.49
"""Poisson's ratio above which volumetric locking is told."""
DISPLACEMENT = FieldSpec("displacement", "m", "vector", "displacement from the unloaded body")


class BodyParams(PhysicsParams):
    """Parameters of every model that contains a deformable body."""

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

    holder: ClassVar[str] = "material"
    """Block of the deck that has the data of the body."""

    @property
    def solid(self) -> Material:
        """The data of the body."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _turns(self) -> BodyParams:
        if self.rotation is not None and (problem := self.rotation.misfit(self.geometry)):
            raise refuse(problem)
        return self

    @model_validator(mode="after")
    def _locks(self) -> BodyParams:
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
        return 2 if self.solid.expansion is not None and self.varies else 1

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
        if self.can_lock and self.solid.poisson_ratio is not None:
            text = self.locks(max(self.solid.poisson_ratio.stated(), default=0.0))
            yield from () if text is None else (f"physics.{self.holder}.poisson_ratio: {text}",)

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


class TemperedParams(BodyParams):
    """Parameters of a body whose temperature, if it has one, is prescribed."""

    temperature: Annotated[Expression, Unit("K")] | None = Field(
        None, description="prescribed temperature for temperature-dependent data and expansion"
    )

    @model_validator(mode="after")
    def _heated(self) -> TemperedParams:
        if self.solid.expansion is not None and self.temperature is None:
            raise refuse(
                "expansion of the material needs the body's temperature: give `temperature`, leave "
                "`expansion` out, or take `type: thermoelasticity`"
            )
        return self

    @property
    def varies(self) -> bool:
        """Whether the temperature differs from place to place."""
        return self.temperature is not None and not {"x", "y", "z"}.isdisjoint(self.temperature.names)


class Body(EquationBase):
    """Equilibrium of a body: what does not depend on its law.

    Parameters
    ----------
    params : BodyParams
        Geometry and loads.
    temperature : Expression, optional
        Prescribed temperature; without it a field ``temperature`` of the run is read.
    """

    field = DISPLACEMENT
    near_nullspace = "rigid"
    boundary_terms: tuple[str, ...] = ("traction", "pressure", "force", "spring")
    flux_unit = "Pa"

    def __init__(self, params: BodyParams, temperature: Expression | None = None):
        for name in ("gravity", "rotation"):
            if getattr(params, name) is not None:
                params.solid.need(name, "density")
        self.params, self.temperature = params, temperature
        self.section = Section(params.geometry, params.thickness)
        cells, cure = Cellwise(self.section.measure), params.locking == "b_bar"
        self.straining = Straining(
            params.solid.expansion, params.geometry, params.normal_strain, self._heated, cells, cure
        )

    def measure(self, x: Array) -> Array | None:
        """Return 2πr, the thickness, or None."""
        return self.section.measure(x)

    def _tempered(self) -> list[Derived]:
        """Return the prescribed temperature, a field like any other for outputs and expressions."""
        if self.temperature is None:
            return []
        spec = FieldSpec("temperature", "K", "scalar", "prescribed temperature", bounds=(0.0, None))
        return [Derived(spec, lambda p: self._heated(p).fields["temperature"].value)]

    def _loaded(self, p: Point, normal: Array | None) -> Array | None:
        """Return f0 = -b, plus σ_θ/r in the radial direction of an axisymmetric section."""
        force = self._body_force(self._heated(p))
        f0 = None if force is None else -force
        if self.params.geometry == "axisymmetric":
            # the test function strains the hoop by v_r/r: σ_θ v_r/r joins f0·v
            assert normal is not None
            hoop = normal / p.x[..., 0]
            f0 = _sum(f0, stack([hoop, 0.0 * hoop], -1))
        return f0

    def _heated(self, p: Point) -> Point:
        """Return the point with the prescribed temperature among its fields."""
        if self.temperature is None:
            return p
        value = spread(self.temperature.sure(PointNames(p)), p)
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
        rho = self.params.solid.density(p)  # type: ignore[misc]
        if g is not None:
            force = _sum(force, stack([rho * component for component in g]))
        if rotation is not None:
            force = _sum(force, rho[..., None] * rotation.acceleration(p, self.params.geometry))
        return force


def _sum(a: Array | None, b: Array) -> Array:
    """Return a + b, where a may be missing."""
    return b if a is None else a + b
