"""The constraint stress S:T of a suspension from its moments, by spin component and trace."""

from __future__ import annotations

from collections.abc import Mapping

import torch

Tensor = torch.Tensor


def components(spin: Tensor, trace: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the components 11, 12 and 22 of a symmetric tensor of given spin and trace."""
    return (trace + spin.real) / 2, -spin.imag / 2, (trace - spin.real) / 2


def closed_stress(fields: Mapping[str, Tensor], f2: Tensor, zeta: float | Tensor) -> tuple[Tensor, Tensor]:
    """Return spin and trace of S:T, T = E + 2ζD, for a second moment f_2.

    The spin is ζ c f_1 + (g c + conj(g) f_2)/2 with g = e + ζ f_1; the trace is D:T by the trace condition
    of S, Re(conj(e) f_1) + ζ (c² + |f_1|²), whatever f_2 is.
    """
    c, f1, e = fields["c"], fields["f1"], fields["e"]
    g = e + zeta * f1
    spin = zeta * c * f1 + (g * c + g.conj() * f2) / 2
    return spin, (e.conj() * f1).real + zeta * (c * c + (f1.conj() * f1).real)
