"""Linear accumulation: shares of several criteria add up, e.g. those of fatigue and creep.

    1/N = Σ_k 1/N_k

A. Palmgren, Z. VDI 68 (1924) 339; M. A. Miner, J. Appl. Mech. 12 (1945) A159; for fatigue and creep
together E. L. Robinson, Trans. ASME 74 (1952) 777. Valid where one kind of damage does not speed up the
other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np

from plexus import registry
from plexus.deck.params import Component, Field, Params
from plexus.protocols import Criterion, Cycle
from plexus.registry import register

Array = np.ndarray


class LinearParams(Params):
    """Parameters of `Linear`."""

    of: tuple[Annotated[Params, Component("life")], ...] = Field(
        min_length=1, description="criteria whose shares add up"
    )


@register("life", "linear", LinearParams)
class Linear:
    """A sum of criteria."""

    def __init__(self, params: LinearParams):
        self.parts: list[Criterion] = [registry.build("life", p) for p in params.of]
        self.names = [str(p.type) for p in params.of]
        self.needs = frozenset().union(*(part.needs for part in self.parts))

    def damage(self, cycle: Cycle) -> Array:
        """Return 1/N, (n,)."""
        return np.sum([part.damage(cycle) for part in self.parts], axis=0)

    def misses(self, cycle: Cycle) -> Mapping[str, int]:
        """Return what each criterion misses."""
        return {
            f"{name}: {what}": count
            for name, part in zip(self.names, self.parts, strict=True)
            for what, count in part.misses(cycle).items()
        }


EXAMPLE: dict[str, Any] = {
    "of": [
        {
            "type": "manson_coffin_basquin",
            "strength": "1000 MPa",
            "strength_exponent": -0.09,
            "ductility": 0.5,
            "ductility_exponent": -0.6,
        },
        {"type": "larson_miller", "stresses": ["100 MPa", "400 MPa"], "parameters": [29000, 24500]},
    ]
}
