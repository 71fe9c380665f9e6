"""Cahn-Hilliard equation: two phases that separate and coarsen, their amounts kept.

    c_t = ∇·(M ∇μ),    μ = f'(c) - ε² ∇²c,    f(c) = (c² - 1)²/4

====== ===================================== ====
symbol meaning                               unit
====== ===================================== ====
c      order parameter, ±1 in the phases     1
μ      chemical potential, ``mu``            1
M      mobility, >= 0                        m²/s
ε      length of the interface               m
====== ===================================== ====

Both are solved at once, as a block of fields. Without conditions nothing flows through the boundary and the
interface meets it at a right angle (M ∇μ·n = 0, ∇c·n = 0): the mass ∫ c dx stays, and the energy
∫ f + ε²/2 |∇c|² dx falls. A flat interface is tanh(x/(√2 ε)), with the energy 2√2/3 ε per area.

``splitting`` takes the convex part of f at the new time and the concave one at the start of the step,
f'(c) ≈ c³ - c_n. With `theta` of θ = 1 the energy then never rises, whatever the step, and every step has
one solution; the error in time is of order 1. c_n is c - dt c_t, exactly so for the θ method, to first order
in dt for others. Integrals are exact for f, so that the law holds for the energy itself.

Source: J. W. Cahn, J. E. Hilliard, J. Chem. Phys. 28 (1958) 258, doi:10.1063/1.1744102; splitting:
D. J. Eyre, MRS Proc. 529 (1998) 39, doi:10.1557/PROC-529-39. Valid for slow diffusion without flow, where
the interface is wider than two or three cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from plexus.deck.params import Field, Property, Unit, Within
from plexus.fields.arrays import einsum, eye, like, stack
from plexus.formulation.base import EquationBase, PhysicsParams
from plexus.formulation.manufactured import Manufactured
from plexus.protocols import Array, Derived, FieldSpec, Flux, Point, Tangent
from plexus.registry import register

PARAMETER = FieldSpec("c", "1", "scalar", "order parameter, -1 and 1 in the phases")
POTENTIAL = FieldSpec("mu", "1", "scalar", "chemical potential")


class CahnHilliardParams(PhysicsParams):
    """Parameters of `CahnHilliard`."""

    mobility: Annotated[Property, Within(ge=0), Unit("m^2/s")] = Field(description="mobility M")
    # ε² has to be a number
    interface: Annotated[float, Unit("m")] = Field(gt=0, lt=1e150, description="length ε of the interface")
    splitting: bool = Field(
        False, description="concave part of f from the start of the step: no step is too long for the energy"
    )


class PhaseSeparation(EquationBase):
    """The block (c, μ): f0 = (c_t, μ - f'(c)), f1 = (M ∇μ, -ε² ∇c)."""

    field = PARAMETER
    fields = (PARAMETER, POTENTIAL)
    evolving = (PARAMETER.name,)
    time_order = 1
    quadrature = 4  # f is a quartic
    flux_unit = "m/s"

    def __init__(self, params: CahnHilliardParams):
        self.mobility, self.square = params.mobility, params.interface**2
        self.splitting = params.splitting

    def flux(self, p: Point) -> Flux:
        """Return f0 (C, Q, 2) and f1 (C, Q, 2, d)."""
        c, mu = p.u[..., 0], p.u[..., 1]
        concave = c - p.dt * p.rate[..., 0] if self.splitting else c
        f0 = stack([p.rate[..., 0], mu - (c**3 - concave)])
        f1 = stack([self.mobility(p)[..., None] * p.grad[..., 1, :], -self.square * p.grad[..., 0, :]], -2)
        return Flux(f0, f1)

    def tangent(self, p: Point) -> Tangent:
        """Return the derivatives."""
        c = p.u[..., 0]
        zero, slope = 0.0 * c, 3 * c**2 - 1
        # ∂(-f')/∂c = 1 - 3c² at the new time, and what c_n = c - dt c_t takes off it through c_t
        c00 = stack([stack([zero, zero]), stack([-slope, 1.0 + zero])], -2)
        m00 = like([[1.0, 0.0], [-p.dt if self.splitting else 0.0, 0.0]], c)[None, None]
        gain = self.mobility(p)[..., None, None, None, None] * _couples(0, 1, p.dim, c)
        return Tangent(c00, None, self._gain_slope(p), gain - self.square * _couples(1, 0, p.dim, c), m00)

    def _gain_slope(self, p: Point) -> Array | None:
        """Return ∂M/∂(c, μ) ∇μ, (C, Q, 2, d, 2), or None for a mobility that depends on neither."""
        slopes = [self.mobility.derivative(p, spec.name) for spec in self.fields]
        if all(slope is None for slope in slopes):
            return None
        zero = 0.0 * p.u[..., 0]
        along = stack([zero if slope is None else slope + zero for slope in slopes])
        upper = p.grad[..., 1, :, None] * along[..., None, :]
        return stack([upper, 0.0 * upper], -3)

    def derived(self) -> Sequence[Derived]:
        """Return the energy density f + ε²/2 |∇c|²."""
        spec = FieldSpec("energy_density", "1", "scalar", "energy of mixing and of gradients")

        def density(p: Point) -> Array:
            own = p.fields[PARAMETER.name]
            return (own.value**2 - 1) ** 2 / 4 + self.square / 2 * (own.grad**2).sum(-1)

        return (Derived(spec, density),)


def _couples(row: int, column: int, dim: int, model: Array) -> Array:
    """Return (1, 1, 2, d, 2, d): the identity of directions between two of the fields."""
    pattern = [[float((i, j) == (row, column)) for j in range(2)] for i in range(2)]
    return einsum("ij,ab->iajb", like(pattern, model), eye(dim, model))[None, None]


@register("physics", "cahn_hilliard", CahnHilliardParams)
class CahnHilliard:
    """Order parameter and chemical potential, solved together."""

    def __init__(self, params: CahnHilliardParams):
        self.equations = [PhaseSeparation(params)]

    @staticmethod
    def fields(params: CahnHilliardParams) -> Sequence[FieldSpec]:
        """Return order parameter and chemical potential."""
        return PhaseSeparation.fields


EXAMPLE: dict[str, Any] = {"mobility": 1, "interface": 0.05, "splitting": True}


def manufactured() -> list[Manufactured]:
    """Return a phase field that grows linearly in time, which backward Euler follows exactly."""
    wave = {
        1: "(0.6 + 0.4*t)*sin(2*x + 0.3)",
        2: "(0.6 + 0.4*t)*sin(2*x + 0.3)*cos(1.5*y)",
        3: "(0.6 + 0.4*t)*sin(x + 0.3)*cos(y)*exp(0.3*z)",
    }
    potential = {
        1: "(1 + t^2)*cos(2*x + 0.2)",
        2: "(1 + t^2)*cos(x)*sin(2*y + 0.2)",
        3: "(1 + t^2)*cos(x)*sin(y + 0.2)*exp(0.2*z)",
    }
    time = {"stepper": "theta", "end": 0.25, "step": 0.25}
    model = {"type": "cahn_hilliard", "interface": 0.4}
    exact = {"c": wave, "mu": potential}
    # splitting is pointwise: it knows no dimension, and in space it costs most
    flat = {name: {dim: text for dim, text in of.items() if dim < 3} for name, of in exact.items()}
    two = {**time, "end": 0.5}
    # a mobility that depends on both, so that every entry of the tangent counts
    return [
        Manufactured("implicit", {**model, "mobility": "1 + 0.3*c^2 + 0.1*mu"}, exact, {"time": time}),
        Manufactured("splitting", {**model, "mobility": 0.5, "splitting": True}, flat, {"time": two}),
    ]
