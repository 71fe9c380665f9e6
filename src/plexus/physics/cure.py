"""Curing of a thermoset: heat conduction with a reaction that feeds on its own heat.

    ρ c T_t - ∇·(k ∇T) = ρ H a_t                         in the body
    a_t = r(a, T) = (k_1 + k_2 a^m) (1 - a)^n,           k_i = A_i exp(-E_i / (R T))

======== ==================================== =========
symbol   meaning                              unit
======== ==================================== =========
T        temperature                          K
a        degree of cure, 0 to 1               1
ρ, c, k  as in ``physics.heat``
H        heat of reaction per mass            J/kg
A_i      pre-exponential factors              1/s
E_i      activation energies                  J/mol
m, n     orders of the reaction               1
R        molar gas constant                   J/(mol K)
======== ==================================== =========

a is an internal variable (`degree_of_cure`): at every quadrature point the step solves
a = a_n + dt r(a, T), and the heat of the same step is ρ H r(a, T), so that a body without losses warms by
exactly H (a - a_0)/c. Source: M. R. Kamal, S. Sourour, Polym. Eng. Sci. 13 (1973) 59-64,
doi:10.1002/pen.760130110. Valid while the chemistry limits the rate, below vitrification, and without flow;
material data may depend on `degree_of_cure`, taken at the start of the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import model_validator

from plexus.deck.params import Field, Params, Unit
from plexus.deck.values import refuse
from plexus.fields.arrays import exp, maximum, unrecorded, where
from plexus.formulation.base import PhysicsParams
from plexus.formulation.kinematics import FitsMesh, Section
from plexus.formulation.manufactured import Manufactured
from plexus.formulation.material import Material
from plexus.formulation.transport import CAPACITY, Transport
from plexus.physics.heat import TEMPERATURE, conduction
from plexus.protocols import Array, FieldSpec, Flux, Point, Tangent
from plexus.registry import register

CURE = FieldSpec("degree_of_cure", "1", "scalar", "share of the reaction that is done", bounds=(0.0, 1.0))
GAS = 8.314462618
"""Molar gas constant [J/(mol K)], exact in the SI of 2019 (CODATA 2018, doi:10.1103/RevModPhys.93.025010)."""
FLOOR = 1e-12
"""Smallest a, and 1 - a, that enter powers: slopes of a^m are infinite at zero for m < 1."""
ROUNDS = 60
"""Most Newton steps or bisections; bisection alone halves the interval to rounding in 53."""


class Kinetics(Params):
    """The rate of Kamal and Sourour; data of a resin, with their source beside them in the deck."""

    factors: tuple[Annotated[float, Unit("1/s"), Field(ge=0)], Annotated[float, Unit("1/s"), Field(ge=0)]] = (
        Field(description="pre-exponential factors A_1, A_2")
    )
    energies: tuple[Annotated[float, Unit("J/mol")], Annotated[float, Unit("J/mol")]] = Field(
        description="activation energies E_1, E_2"
    )
    m: float = Field(ge=0, description="order m of the autocatalysis")
    n: float = Field(gt=0, description="order n of what is left")

    def rate(self, a: Array, temperature: Array) -> tuple[Array, Array, Array]:
        """Return r [1/s], ∂r/∂a and ∂r/∂T."""
        k, slope = [], []
        for factor, energy in zip(self.factors, self.energies, strict=True):
            k.append(factor * exp(-energy / (GAS * temperature)))
            slope.append(k[-1] * energy / (GAS * temperature * temperature))
        done, left = maximum(a, FLOOR), maximum(1.0 - a, FLOOR)
        power, rest = done**self.m, left**self.n
        drive = k[0] + k[1] * power
        # (d a^m) = m a^(m-1), (d (1-a)^n) = -n (1-a)^(n-1)
        by_a = k[1] * self.m * power / done * rest - drive * self.n * rest / left
        return drive * rest, by_a, (slope[0] + slope[1] * power) * rest

    def advance(self, before: Array, temperature: Array, dt: float) -> Array:
        """Return the a that solves a = a_n + dt r(a, T), by Newton's method within a bracket.

        g(a) = a - a_n - dt r is not positive at a_n and not negative at 1; a step that leaves the bracket is
        replaced by a bisection. One more step takes a's derivatives along.
        """
        with unrecorded(temperature):
            a = self._found(before, temperature, dt)
        r, by_a, _ = self.rate(a, temperature)
        return a - (a - before - dt * r) / (1.0 - dt * by_a)

    def _found(self, before: Array, temperature: Array, dt: float) -> Array:
        """Return that a, to rounding."""
        low = before + 0.0 * temperature
        # θ < 1 may leave a_n > 1 behind: the rate is 0 there, and nothing goes back
        high = maximum(low, 1.0)
        a = 0.5 * (low + high)
        for _ in range(ROUNDS):
            r, by_a, _ = self.rate(a, temperature)
            g = a - before - dt * r
            low, high = where(g <= 0, a, low), where(g >= 0, a, high)
            step = a - g / (1.0 - dt * by_a)
            middle = 0.5 * (low + high)
            new = where((step - low) * (step - high) <= 0, step, middle)
            moved, a = abs(new - a), new
            if not bool((moved > 1e-14).any()):
                break
        return a


class CureParams(PhysicsParams):
    """Parameters of `Cure`."""

    material: Material = Field(description="density, specific_heat and conductivity")
    capacity: Literal["consistent", "lumped"] = CAPACITY
    heat_of_reaction: Annotated[float, Unit("J/kg")] = Field(ge=0, description="heat of reaction H per mass")
    kinetics: Kinetics = Field(description="rate of the reaction")
    start: float = Field(1e-3, ge=0, lt=1, description="degree of cure at the start; not 0 where A_1 is 0")
    geometry: Annotated[Literal["cartesian", "axisymmetric"], FitsMesh] = Field(
        "cartesian", description="axisymmetric: x is the radius, y the axis, a 2-D mesh is the section"
    )

    @model_validator(mode="after")
    def _begins(self) -> CureParams:
        first, second = self.kinetics.factors
        if first == 0 and (second == 0 or (self.start == 0 and self.kinetics.m > 0)):
            raise refuse("nothing cures: the rate is zero at the start and stays so; raise A_1 or `start`")
        return self


class Curing(Transport):
    """The heat equation with f0 = ρ c T_t - ρ H r(a(T), T), and a as memory."""

    smooth = True

    def __init__(self, params: CureParams):
        params.material.need("cure", "density", "specific_heat", "conductivity")
        heat = conduction(params.material, None, Section(params.geometry))
        super().__init__(
            heat.field, heat.coefficients, heat.flux_field, heat.section, params.capacity == "lumped"
        )
        self.boundary_terms = heat.boundary_terms
        self.linear = False
        self.kinetics, self.heat = params.kinetics, params.heat_of_reaction
        self.density = params.material.density
        self.internal = (replace(CURE, start=params.start),)

    def flux(self, p: Point) -> Flux:
        """Return the heat equation's flux with the heat of the reaction taken off f0."""
        flux = super().flux(p)
        heat = -self._density(p) * self.heat * self._rate(p)[0]
        # a lumped capacity is no part of the heat equation's f0
        return Flux(heat if flux.f0 is None else flux.f0 + heat, flux.f1)

    def tangent(self, p: Point) -> Tangent:
        """Return the heat equation's tangent and the slope of the source along a(T).

        From a = a_n + dt r(a, T): da/dT = dt r_T/(1 - dt r_a), hence dr/dT = r_T/(1 - dt r_a).
        """
        tangent = super().tangent(p)
        r, by_a, by_t = self._rate(p)
        slope = by_t / (1.0 - p.dt * by_a)
        c00 = -self.heat * self._density(p) * slope
        change = self.density.derivative(p, self.field.name) if self.density is not None else None
        if change is not None:
            c00 = c00 - self.heat * change * r
        return replace(tangent, c00=c00 if tangent.c00 is None else tangent.c00 + c00)

    def advance(self, p: Point) -> Mapping[str, Array]:
        """Return the degree of cure at the end of the step."""
        return {CURE.name: self._cured(p)}

    def _cured(self, p: Point) -> Array:
        before = p.before[CURE.name]
        return self.kinetics.advance(before, p.u, p.dt) if p.dt > 0 else before

    def _rate(self, p: Point) -> tuple[Array, Array, Array]:
        return self.kinetics.rate(self._cured(p), p.u)

    def _density(self, p: Point) -> Array:
        assert self.density is not None
        return self.density(p)


@register("physics", "cure", CureParams)
class Cure:
    """One equation for the temperature, with the degree of cure at its quadrature points."""

    def __init__(self, params: CureParams):
        self.equations = [Curing(params)]

    @staticmethod
    def fields(params: CureParams) -> Sequence[FieldSpec]:
        """Return the temperature."""
        return (TEMPERATURE,)


EXAMPLE: dict[str, Any] = {
    "material": {"density": "1200 kg/m^3", "specific_heat": "1200 J/(kg K)", "conductivity": "0.2 W/(m K)"},
    "heat_of_reaction": "300 kJ/kg",
    "kinetics": {
        "factors": ["1e4 1/s", "1e5 1/s"],
        "energies": ["6e4 J/mol", "6e4 J/mol"],
        "m": 0.8,
        "n": 1.5,
    },
}


def manufactured() -> list[Manufactured]:
    """Return a smooth temperature that a reaction of constant progress heats."""
    plane = "2 + sin(2*x)*cos(1.5*y)"
    wave = {1: "2 + sin(2*x)", 2: plane, 3: "2 + sin(2*x)*cos(1.5*y)*exp(0.5*z)"}
    material = {"density": 2, "specific_heat": 1, "conductivity": "1 + 0.2*temperature"}
    kinetics = {"factors": [1, 2], "energies": [10, 20], "m": 0.8, "n": 1.5}
    model = {"type": "cure", "material": material, "heat_of_reaction": 3, "kinetics": kinetics, "start": 0.3}
    return [Manufactured("nonlinear", model, {"temperature": wave})]
