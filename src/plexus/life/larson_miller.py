"""Life from creep: shares of the time to rupture that the instants of a cycle take.

    P(σ) = T (C + log10 t_r),    1/N = ∮ dt/t_r(σ, T)

====== ============================================================ ====
symbol meaning                                                      unit
====== ============================================================ ====
σ      equivalent stress of von Mises, or the largest principal one Pa
T      temperature                                                  K
t_r    time to rupture, in hours where its logarithm is taken       s
C      constant of the parameter                                    1
P      parameter, linear in log10 σ between the points of a table   K
====== ============================================================ ====

F. R. Larson, J. Miller, Trans. ASME 74 (1952) 765; shares of time: E. L. Robinson, Trans. ASME 74 (1952)
777. The rate 1/t_r is taken as linear between two instants. Below the smallest stress of the table P stays
what it is there, which is too short a life; above the largest one its last piece goes on, and a run tells
at how many points.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import field_validator

from plexus.deck.params import Field, Params, Unit
from plexus.deck.values import refuse
from plexus.life._cycle import full, mises
from plexus.protocols import Cycle
from plexus.registry import register

Array = np.ndarray
HOUR = 3600.0
MOST = 300.0
"""Largest decimal logarithm of a time, beyond which a float ends."""


class LarsonMillerParams(Params):
    """Parameters of `LarsonMiller`."""

    stresses: tuple[Annotated[float, Unit("Pa")], ...] = Field(min_length=2, description="stresses σ, rising")
    parameters: tuple[Annotated[float, Unit("K")], ...] = Field(
        min_length=2, description="parameter P there, falling, for times in hours"
    )
    constant: float = Field(
        20.0, gt=0, description="constant C", json_schema_extra={"source": "Larson, Miller"}
    )
    of: Literal["von_mises", "max_principal"] = Field(
        "von_mises", description="which stress; max_principal: none in compression"
    )

    @field_validator("stresses")
    @classmethod
    def _rising(cls, given: tuple[float, ...]) -> tuple[float, ...]:
        if given[0] <= 0 or any(np.diff(given) <= 0):
            raise refuse("stresses must be positive and increase")
        return given

    @field_validator("parameters")
    @classmethod
    def _falling(cls, given: tuple[float, ...]) -> tuple[float, ...]:
        if given[-1] <= 0 or any(np.diff(given) >= 0):
            raise refuse("parameters must be positive and decrease: more stress, less time")
        return given


@register("life", "larson_miller", LarsonMillerParams)
class LarsonMiller:
    """Time fractions of creep rupture."""

    needs = frozenset({"stress", "young_modulus", "temperature"})

    def __init__(self, params: LarsonMillerParams):
        if len(params.stresses) != len(params.parameters):
            raise refuse(f"{len(params.stresses)} stresses and {len(params.parameters)} parameters")
        self.params = params

    def damage(self, cycle: Cycle) -> Array:
        """Return 1/N, (n,)."""
        assert cycle.temperature is not None
        rate = np.stack([self.rate(s, t) for s, t in zip(cycle.stress, cycle.temperature, strict=True)])
        return np.einsum("m,mn->n", np.diff(cycle.times), 0.5 * (rate[1:] + rate[:-1]))

    def rate(self, stress: Array, temperature: Array) -> Array:
        """Return 1/t_r [1/s] of stresses (n, 6) at temperatures (n,)."""
        size, p = self._size(stress), self.params
        x, y = np.log10(p.stresses), np.array(p.parameters)
        s = np.log10(np.maximum(size, 1e-300))
        found = np.interp(s, x, y)
        last = (y[-1] - y[-2]) / (x[-1] - x[-2])
        found = found + np.where(s > x[-1], last * (s - x[-1]), 0.0)
        log = np.minimum(found / temperature - p.constant, MOST)
        return np.where(size > 0, 10.0**-log / HOUR, 0.0)

    def misses(self, cycle: Cycle) -> Mapping[str, int]:
        """Return at how many points the stress passes the largest of the table."""
        beyond = np.zeros(cycle.stress.shape[1], dtype=bool)
        for stress in cycle.stress:
            beyond |= self._size(stress) > self.params.stresses[-1]
        return {
            f"stresses above {self.params.stresses[-1]:g} Pa, the largest of its table": int(beyond.sum())
        }

    def _size(self, stress: Array) -> Array:
        """Return the stress that counts, (n,)."""
        if self.params.of == "von_mises":
            return mises(stress)
        return np.maximum(np.linalg.eigvalsh(full(stress))[:, -1], 0.0)


EXAMPLE: dict[str, Any] = {
    "stresses": ["100 MPa", "200 MPa", "400 MPa"],
    "parameters": [29000, 27000, 24500],
    "constant": 20,
}
