"""Fields and numbers that a suspension offers beside its unknown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch

from plexus.models.suspension import spins
from plexus.models.suspension.snapshot import Snapshot
from plexus.protocols import Closure
from plexus.spaces.fourier import Fourier

Tensor = torch.Tensor
TOLERANCE = 1e-9
"""How far beyond 1 a reflection coefficient may be by rounding."""


class Observed(Protocol):
    """What the formulas ask of a model."""

    space: Fourier
    order: int
    """Number of moments that it carries."""
    closure: Closure | None

    def stress(self, s: Snapshot) -> Tensor:
        """Return the spin of the stress at the strain rate of a snapshot."""


Formula = Callable[[Observed, Snapshot], Tensor]


def _scalar(formula: Formula) -> Formula:
    return lambda model, s: formula(model, s).unsqueeze(-3)


def _order(model: Observed, s: Snapshot) -> Tensor:
    return s.f[..., 1, :, :].abs() / s.c


def _director(model: Observed, s: Snapshot) -> Tensor:
    angle = -s.f[..., 1, :, :].angle() / 2
    return torch.stack([angle.cos(), angle.sin()], -3)


def _outside(model: Observed, s: Snapshot) -> Tensor:
    """Return 1 where c, f_1 and the f_2 of the stress belong to no distribution."""
    f = (
        s.f[..., :2, :, :]
        if s.second.f2 is None
        else torch.stack([*s.f[..., :2, :, :].unbind(-3), s.second.f2], -3)
    )
    return (spins.reflections(f) > 1 + TOLERANCE).to(s.c.dtype)


def _fallback(model: Observed, s: Snapshot) -> Tensor:
    mask = getattr(getattr(model.closure, "guard", None), "mask", None)
    return torch.zeros_like(s.c) if mask is None else mask.to(s.c.dtype)


FORMULAS: dict[str, Formula] = {
    "concentration": _scalar(lambda model, s: s.c),
    "order": _scalar(_order),
    "director": _director,
    "nematic": lambda model, s: spins.second_order(s.c, s.f[..., 1, :, :]),
    "velocity": lambda model, s: s.flow.velocity,
    "vorticity": _scalar(lambda model, s: 2 * s.flow.w),
    "strain": lambda model, s: spins.traceless(2 * s.flow.e),
    "stress": lambda model, s: spins.traceless(model.stress(s)),
    "outside": _scalar(_outside),
    "fallback": _scalar(_fallback),
}
"""Name of a field of `plexus.models.suspension.specs` -> (model, snapshot) -> real (m, *shape)."""


def monitor(model: Observed, s: Snapshot) -> dict[str, float]:
    """Return numbers that tell whether a run can be trusted. Collective.

    ``mass`` is the drift of the mean concentration from 1, ``power`` the relative residual of
    2⟨E:E⟩ = -⟨E:Σ⟩, ``trace`` the largest |tr(S:E) - D:E|, ``outside`` the fraction of points whose c, f_1
    and f_2 no distribution has, ``passive`` the least E:S:E over the mean of E:E, negative only where a
    closure gives an impossible f_2, ``tail`` the largest |f_K|/c, ``rate`` K max|g|, which times dt should
    stay below 0.4, ``sweeps`` and ``change`` the work for the strain rate and its last relative change (nan
    where one sweep is taken). Of an ensemble they are means over the members, but for ``power`` and what is a
    largest or least value: those of all.
    """
    space = model.space

    e, stress, r = s.flow.e, model.stress(s), _order(model, s)
    dissipated, worked = space.mean(torch.stack([4 * (e * e.conj()).real, -(e.conj() * stress).real]))
    floor = dissipated.clamp_min(1e-300)
    speed = s.flow.velocity.square().sum(-3).sqrt()
    fields = torch.stack([s.c, speed, r, _outside(model, s)])
    means = space.mean(fields).reshape(len(fields), -1).mean(1).tolist()
    tail = s.f[..., -1, :, :].abs() / s.c
    highest = space.max(torch.stack([r, s.g.abs(), _trace(s), -s.c, tail, -_passive(s)]))
    peaks = highest.reshape(len(highest), -1).amax(1).tolist()
    return {
        "mass": means[0] - 1, "speed": means[1], "order": means[2], "order_max": peaks[0],
        "outside": means[3], "tail": peaks[4], "passive": -2 * float((highest[5] / floor).amax()),
        "power": float(((dissipated - worked).abs() / floor).amax()),
        "trace": peaks[2], "concentration_min": -peaks[3], "rate": model.order * peaks[1],
        "sweeps": float(s.sweeps), "change": s.change,
    }  # fmt: skip


def _passive(s: Snapshot) -> Tensor:
    """Return E:S:E = (c |e|² + Re(f_2 conj(e)²))/2, without f_2 where that is not known."""
    e, f2 = s.flow.e, s.second.f2
    square = s.c * (e * e.conj()).real
    return square / 2 if f2 is None else (square + (f2 * e.conj() ** 2).real) / 2


def _trace(s: Snapshot) -> Tensor:
    """Return |tr(S:E) - D:E|; the trace conditions of S are those of the angular moments."""
    f2 = s.second.f2
    if f2 is None:
        return torch.zeros_like(s.c)
    f1, strain = s.f[..., 1, :, :], spins.traceless(2 * s.flow.e)
    product = spins.contract(spins.fourth_order(s.c, f1, f2), strain)
    double = (spins.second_order(s.c, f1) * strain).sum(-3)
    return (product[..., 0, :, :] + product[..., 3, :, :] - double).abs()
