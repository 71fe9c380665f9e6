"""What laws after von Mises share: elastic data, hardening, viscosity, the way to the formulas of `_flow`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Any

import numpy as np
from pydantic import model_validator

from plexus.deck.params import Field, Params, Property, Unit, Within
from plexus.deck.values import refuse
from plexus.errors import InputError
from plexus.formulation.material import Material
from plexus.laws import _flow
from plexus.laws._flow import Data, Memory
from plexus.protocols import Array, FieldSpec, Point, Response

PLASTIC = FieldSpec("plastic_strain", "1", "tensor", "plastic strain", rows=3)
CUMULATED = FieldSpec("p", "1", "scalar", "cumulated plastic strain", bounds=(0.0, None))


class Hardening(Params):
    """Growth of the yield stress, R = R₀ + H p + Q (1 - e^(-b p)); E. Voce, J. Inst. Met. 74 (1948) 537."""

    slope: Annotated[Property, Unit("Pa"), Within(ge=0)] = Field(
        0.0, description="slope H of the linear part"
    )
    gain: Annotated[Property, Unit("Pa")] = Field(0.0, description="limit Q of the part that saturates")
    rate: Annotated[Property, Unit("1"), Within(ge=0)] = Field(0.0, description="rate b at which it does")

    @model_validator(mode="after")
    def _whole(self) -> Hardening:
        if self.gain.constant != 0 and self.rate.constant == 0:
            raise refuse("a gain without a rate has no effect: give `rate`, or leave `gain` out")
        return self

    def least(self) -> float | None:
        """Return the least that it adds to the yield stress as p grows; None where data vary."""
        h, q, b = self.slope.constant, self.gain.constant, self.rate.constant
        if h is None or q is None or b is None:
            return None
        if q >= 0 or -q * b <= h:
            return 0.0
        # H + Q b e^(-b p) = 0; without a slope it falls to Q
        return q if h == 0 else h / b * math.log(-q * b / h) + q + h / b


class BackStress(Params):
    """A back stress X = 2/3 C a, da = dε_p - D a dp; without D after Prager.

    P. J. Armstrong, C. O. Frederick, CEGB report RD/B/N731 (1966); W. Prager, J. Appl. Mech. 23 (1956) 493.
    """

    modulus: Annotated[Property, Unit("Pa"), Within(ge=0)] = Field(description="modulus C")
    recall: Annotated[Property, Unit("1"), Within(ge=0)] = Field(
        0.0, description="recall D: X saturates at C/D; 0: it grows without limit"
    )


class Viscosity(Params):
    """Overstress of a flow that takes time, dp/dt = r (f/K)^N; F. H. Norton, The Creep of Steel, 1929."""

    drag: Annotated[Property, Unit("Pa"), Within(gt=0)] = Field(
        description="drag K: overstress at the rate r; a K in MPa s^(1/N) is one in MPa, for r = 1/s"
    )
    exponent: Annotated[Property, Unit("1"), Within(ge=1)] = Field(description="exponent N")
    rate: Annotated[float, Unit("1/s")] = Field(
        1.0,
        gt=0,
        description="rate r at which the overstress is K",
        json_schema_extra={"source": "definition"},
    )


class Mises:
    """A law whose plastic strain follows the deviator of σ - X; see `plexus.laws._flow`.

    Parameters
    ----------
    material : Material
        With Young's modulus and Poisson's ratio.
    yield_stress : Property, optional
        R₀ [Pa]; None for 0.
    hardening, backs, viscosity
        What is beside it.
    """

    linear = False
    isochoric = True

    def __init__(
        self,
        material: Material,
        yield_stress: Property | None = None,
        hardening: Hardening | None = None,
        backs: Sequence[BackStress] = (),
        viscosity: Viscosity | None = None,
    ):
        material.need("law", "young_modulus", "poisson_ratio")
        self.material, self.yield_stress = material, yield_stress
        self.hardening, self.backs, self.viscosity = hardening, tuple(backs), viscosity
        self._require_strength()
        names = [f"back_strain_{i + 1}" for i in range(len(self.backs))]
        self.back_specs = [FieldSpec(n, "1", "tensor", "strain of a back stress", rows=3) for n in names]
        self.internal: Sequence[FieldSpec] = (PLASTIC, CUMULATED, *self.back_specs)
        # what a back stress forgets turns it against the direction of flow
        self.symmetric = all(back.recall.constant == 0.0 for back in self.backs)
        self._steady, self._fixed = all(q.constant is not None for q in self._properties()), None

    def _require_strength(self) -> None:
        """Refuse a softening beyond which a body would flow under no stress."""
        start = self.yield_stress.constant if self.yield_stress is not None else None
        least = self.hardening.least() if self.hardening is not None else None
        if start is not None and least is not None and start + least < 0:
            raise InputError(
                f"physics.law.hardening: the yield stress falls from {start:g} Pa to {start + least:g} Pa "
                "as p grows, and cannot be negative"
            )

    def _properties(self) -> Iterator[Property]:
        """Yield all data of the law."""
        groups = (self.hardening, self.viscosity, *self.backs)
        found = [getattr(group, name) for group in groups if group for name in type(group).model_fields]
        found += [self.material.young_modulus, self.material.poisson_ratio, self.yield_stress]
        yield from (q for q in found if isinstance(q, Property))

    def bulk(self, p: Point) -> Array:
        """Return κ [Pa]."""
        return self._moduli(p)[0]

    def _moduli(self, p: Point) -> tuple[Array, Array]:
        """Return κ = E/(3 (1 - 2ν)) and μ = E/(2 (1 + ν)) [Pa]."""
        e, nu = self.material.young_modulus(p), self.material.poisson_ratio(p)  # type: ignore[misc]
        return e / (3.0 * (1.0 - 2.0 * nu)), e / (2.0 * (1.0 + nu))

    def data(self, p: Point) -> Data:
        """Return the data at the points."""
        bulk, shear = self._moduli(p)
        zero = 0.0 * bulk
        h, v = self.hardening, self.viscosity
        growth = (zero,) * 3 if h is None else (h.slope(p), h.gain(p), h.rate(p))
        drag, power = zero, zero
        if v is not None:
            power = 1.0 / v.exponent(p)
            # (Δp/(r Δt))^(1/N) K = (Δp/Δt)^(1/N) K r^(-1/N)
            drag = v.drag(p) * v.rate ** (-power)
        strength = zero if self.yield_stress is None else self.yield_stress(p)
        moduli, recalls = [b.modulus(p) for b in self.backs], [b.recall(p) for b in self.backs]
        return Data(bulk, shear, strength, *growth, drag, power, moduli, recalls)

    def constants(self, p: Point) -> Sequence[Array]:
        """Return the data in the order of compiled formulas, see `plexus.protocols.laws.Inlined`."""
        d = self.data(p)
        own = (d.bulk, d.shear, d.yield_stress, d.slope, d.gain, d.rate, d.viscosity, d.power)
        return [*own, *(a for pair in zip(d.moduli, d.recalls, strict=True) for a in pair)]

    def respond(self, p: Point, strain: Array, tangent: bool = False, memory: bool = False) -> Response:
        """Return what the law answers, see `plexus.protocols.laws.Law`."""
        if isinstance(strain, np.ndarray) and (compiled := _compiled()):
            return self._by_lanes(compiled, p, strain, tangent, memory)
        known = {s.name: _tensor(p.before[s.name]) for s in (PLASTIC, *self.back_specs)}
        backs = [known[s.name] for s in self.back_specs]
        before = Memory(known[PLASTIC.name], p.before[CUMULATED.name], backs)
        stress, slope, end = _flow.respond(strain, before, p.dt, self.data(p), tangent)
        if not memory:
            return Response(stress, slope)
        tensors = zip((PLASTIC, *self.back_specs), (end.plastic, *end.backs), strict=True)
        return Response(stress, slope, {CUMULATED.name: end.p} | {s.name: _row(a) for s, a in tensors})

    def _by_lanes(self, compiled: Any, p: Point, strain: np.ndarray, tangent: bool, memory: bool) -> Response:
        """Return the answer of the compiled formulas."""
        before, given = p.before, self._fixed
        if given is None:
            given = compiled.Given(self.constants(p), *strain.shape[:2])
            self._fixed = given if self._steady else None
        plastic, cumulated = before[PLASTIC.name], before[CUMULATED.name]
        found = compiled.respond(
            _row(strain), plastic, np.ascontiguousarray(cumulated), [before[s.name] for s in self.back_specs],
            given, p.dt, tangent, memory,
        )  # fmt: skip
        slope = None if found.tangent is None else found.tangent.reshape(*strain.shape[:2], 3, 3, 3, 3)
        if not memory:
            return Response(_tensor(found.stress), slope)
        ends = {PLASTIC.name: found.plastic, CUMULATED.name: found.p}
        return Response(
            _tensor(found.stress),
            slope,
            ends | dict(zip((s.name for s in self.back_specs), found.backs, strict=True)),
        )


@cache
def _compiled() -> Any:
    """Return the compiled formulas, None where they cannot be had."""
    from plexus_kernels.native import viscoplastic
    from plexus_kernels.native.loader import usable

    instead = "the compiled law is not usable, the slower one takes over"
    return viscoplastic if usable(viscoplastic.probe, instead) else None


def _tensor(rows: Array) -> Array:
    """Return rows (C, Q, 9) as tensors (C, Q, 3, 3)."""
    return rows.reshape(*rows.shape[:2], 3, 3)


def _row(tensor: Array) -> Array:
    """Return tensors (C, Q, 3, 3) as rows (C, Q, 9)."""
    return tensor.reshape(*tensor.shape[:2], 9)
