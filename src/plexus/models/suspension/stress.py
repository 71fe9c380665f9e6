"""The constraint stress S:T of a suspension from its moments, by spin component and trace, T = E + 2 ζ D."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def components(spin: Tensor, trace: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the components 11, 12 and 22 of a symmetric tensor of given spin and trace."""
    return (trace + spin.real) / 2, -spin.imag / 2, (trace - spin.real) / 2


def closed_spin(fields: Mapping[str, Tensor], f2: Tensor, zeta: float | Tensor) -> Tensor:
    """Return the spin of S:T for a second moment f_2: ζ c f_1 + (g c + g* f_2)/2 with g = e + ζ f_1."""
    c, f1 = fields["c"], fields["f1"]
    g = fields["e"] + zeta * f1
    return zeta * c * f1 + (g * c + g.conj() * f2) / 2


def exact_trace(fields: Mapping[str, Tensor], zeta: float | Tensor) -> Tensor:
    """Return the trace D:T = Re(f_1 e*) + ζ (c² + |f_1|²), which S has whatever f_2 is."""
    c, f1 = fields["c"], fields["f1"]
    return (f1 * fields["e"].conj()).real + zeta * (c * c + (f1 * f1.conj()).real)


def closed_stress(fields: Mapping[str, Tensor], f2: Tensor, zeta: float | Tensor) -> tuple[Tensor, Tensor]:
    """Return spin and trace of S:T for a second moment f_2."""
    return closed_spin(fields, f2, zeta), exact_trace(fields, zeta)
