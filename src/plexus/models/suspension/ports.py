"""What a model of K moments leaves open: f_(K+1), or for K = 1 the product S:T; and what a part may see.

A field of spin s is multiplied by exp(-i s θ) when axes turn by θ. Units are those of the theory: lengths
and times of the model, a distribution in the plane counts rods per area.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from plexus.protocols import Gap, Port
from plexus.protocols.learned import Ports


@dataclass(frozen=True)
class SpinPort(Port):
    """A field in the plane with its behaviour under rotation and reflection."""

    spin: int = 0
    parity: Literal["even", "odd"] = "even"
    """How a reflection acts, beside conjugation: an odd field also changes its sign."""

    @property
    def complex(self) -> bool:
        """Whether its values turn with the axes: two real fields in one."""
        return self.spin != 0

    @property
    def moment(self) -> int | None:
        """Return m if this is f_m."""
        m = self.spin // 2
        return m if m and self.name == f"f{m}" else None


CONCENTRATION = SpinPort("c", "1/m^2")
STRAIN = SpinPort("e", "1/s", spin=2)
VORTICITY = SpinPort("W", "1/s", parity="odd")
GRADIENT = SpinPort("grad_f1", "1/m^3")
"""|∇f_1|"""
ZETA, D_R = SpinPort("zeta", "1/s"), SpinPort("d_R", "1/s")
STRESS = SpinPort("st", "1/(m^2 s)", spin=2), SpinPort("trace", "1/(m^2 s)")
"""S:T with T = E + 2 ζ D: its spin component and its trace."""


def moment(m: int) -> SpinPort:
    """Return the port of f_m."""
    return SpinPort(f"f{m}", "1/m^2", spin=2 * m)


def missing(order: int) -> tuple[Ports, ...]:
    """Return what a model of ``order`` moments leaves open, as alternatives."""
    return ((moment(order + 1),), *([STRESS] if order == 1 else []))


def order_of(groups: Iterable[Ports]) -> int:
    """Return how many moments a model carries that leaves these open; 1 where nothing tells."""
    opened = (port.moment for group in groups for port in group if isinstance(port, SpinPort))
    return next((m - 1 for m in opened if m is not None), 1)


def gap(order: int, constants: Mapping[str, float]) -> Gap:
    """Return what a model of ``order`` moments leaves open and shows."""

    def states(shape: tuple[int, ...], seed: int = 0, reach: float = 0.98) -> dict[str, Any]:
        from plexus.models.suspension.examples import states as made

        return made(order, shape, seed, reach)

    carried = tuple(moment(m) for m in range(1, order + 1))
    seen = (CONCENTRATION, *carried, STRAIN, VORTICITY, GRADIENT, ZETA, D_R)
    return Gap(missing(order), seen, constants, states)
