"""Life from the plastic work of a cycle.

    W = W_f' (2N)^d

====== ==================================== =====
symbol meaning                              unit
====== ==================================== =====
W      plastic work per volume of a cycle   J/m³
W_f'   work at one reversal                 J/m³
d      exponent, below 0                    1
N      cycles to failure                    1
====== ==================================== =====

J. Morrow, in: Internal Friction, Damping, and Cyclic Plasticity, ASTM STP 378 (1965) 45,
doi:10.1520/STP43764S. Valid for stabilised cycles that flow; one that does not flow takes no harm.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np

from plexus.deck.params import Field, Property, Unit, Within
from plexus.life._curves import Array, Curve, LifeParams, per_cycle, reversals
from plexus.protocols import Cycle
from plexus.registry import register


class DissipatedEnergyParams(LifeParams):
    """Parameters of `DissipatedEnergy`."""

    work: Annotated[Property, Unit("J/m^3"), Within(gt=0)] = Field(description="work at one reversal W_f'")
    exponent: float = Field(lt=0, description="exponent d")


@register("life", "dissipated_energy", DissipatedEnergyParams)
class DissipatedEnergy(Curve):
    """A power of the plastic work."""

    needs = frozenset({"stress", "young_modulus", "plastic_strain"})
    params: DissipatedEnergyParams

    def damage(self, cycle: Cycle) -> Array:
        """Return 1/N, (n,)."""
        work = self.taken("work", cycle)
        return per_cycle(
            reversals(cycle.dissipated, work, np.zeros_like(work), self.params.exponent, self.params.exponent)
        )


EXAMPLE: dict[str, Any] = {"work": "500 MJ/m^3", "exponent": -0.7}
