"""Lives under cycles of load: what a cycle is at points, and what a criterion makes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

Array = Any


class Cycle(Protocol):
    """What m instants of one cycle, its two ends among them, were at n points. SI units.

    Tensors are rows of six, 11 22 33 12 23 31, shears as those of the tensor.
    """

    @property
    def times(self) -> Array:
        """Rising times, (m,) [s]."""

    @property
    def stress(self) -> Array:
        """Stress, (m, n, 6) [Pa]."""

    @property
    def temperature(self) -> Array | None:
        """Temperature, (m, n) [K]; None for a body without one."""

    @property
    def strain_range(self) -> Array:
        """Equivalent range of the strain without the thermal one, (n,)."""

    @property
    def plastic_range(self) -> Array:
        """Equivalent range of the plastic strain, (n,)."""

    @property
    def opening(self) -> Array:
        """Largest product of peak stress in tension and half of the strain range of a plane, (n,) [Pa]."""

    @property
    def dissipated(self) -> Array:
        """Plastic work of the cycle, (n,) [J/m³]."""

    @property
    def stiffness(self) -> Array:
        """Young's modulus at the hottest instant, (n,) [Pa]."""

    @property
    def hottest(self) -> Array | None:
        """Highest temperature, (n,) [K]; None for a body without one."""


class Criterion(Protocol):
    """A criterion of kind ``life``, with the data of one material."""

    needs: Collection[str]
    """Fields that it cannot do without, e.g. ``plastic_strain``."""

    def damage(self, cycle: Cycle) -> Array:
        """Return the share of the life that one such cycle takes, (n,): 1/N, 0 where it does no harm."""

    def misses(self, cycle: Cycle) -> Mapping[str, int]:
        """Return at how many points data do not reach, by what is beyond them; same keys on all ranks."""
