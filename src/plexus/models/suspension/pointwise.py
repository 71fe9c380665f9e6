"""What a suspension computes point by point and mode by mode: torch, or compiled C where that fits.

Compiled functions serve states in double precision on one thread without gradients, the members of a batch
one after the other: each phase of an evaluation is then one pass through memory, where torch takes one per
operation. Everything else, gradients, GPUs, single precision, goes the way of torch; tests compare the two.
"""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any, NamedTuple

import torch

from plexus.models.suspension.medium import Medium
from plexus_kernels.native import suspension as compiled

Tensor = torch.Tensor
SMALL = 1 << 20
"""Numbers of an array above which several threads beat one compiled pass."""
DOUBLE = (torch.complex128, torch.float64)
SHIFT = 1.0
"""Concentration around which a sweep is implicit: the mean, which is 1 by the scaling."""


class Second(NamedTuple):
    """A moment that is multiplied by conj(g): itself, or x = conj(g) f where only that is known; or zero."""

    f2: Tensor | None
    x: Tensor | None = None

    def turned(self, g: Tensor) -> Tensor | None:
        """Return conj(g) f, None for zero."""
        return self.x if self.f2 is None else g.conj() * self.f2

    def where(self, members: Tensor, other: Second) -> Second:
        """Return this of some members (...), the other of the rest."""
        chosen = members[..., None, None]
        pairs = zip(self, other, strict=True)
        return Second(*(None if a is None or b is None else torch.where(chosen, a, b) for a, b in pairs))

    @property
    def given(self) -> Tensor | None:
        """What is known of it."""
        return self.x if self.f2 is None else self.f2

    @property
    def kind(self) -> int:
        """How compiled functions call it."""
        return (
            compiled.NONE if self.given is None else compiled.TURNED if self.f2 is None else compiled.MOMENT
        )


def stress(f: Tensor, e: Tensor, second: Second, p: Medium) -> Tensor:
    """Return the spin of the stress, (α - ζβ/2 c) f_1 + β/2 (c e + conj(g) f_2), (..., nx, ny)."""
    c, f1 = f[..., 0, :, :].real, f[..., 1, :, :]
    turned = second.turned(e + p.zeta * f1)
    passive = c * e if turned is None else c * e + turned
    return (p.alpha - p.zeta * p.beta / 2 * c) * f1 + p.beta / 2 * passive


def sweep(f: Tensor, e: Tensor, second: Second, p: Medium) -> Tensor:
    """Return the stress that one sweep from ``e`` takes, in two real parts, (..., 2, nx, ny).

    It is [stress - β/2 SHIFT e] / (1 + β SHIFT/8), see `plexus.models.suspension.passive`.
    """
    given = [] if second.given is None else [second.given]
    numbers = all(isinstance(value, int | float) for value in (p.alpha, p.beta, p.zeta))
    if numbers and _alike(f[..., 0, :, :], e, *given) and fits(f, e, *given):
        return _compiled_sweep(f, e, second, p)
    s = (stress(f, e, second, p) - p.beta / 2 * SHIFT * e) / (1 + p.beta * SHIFT / 8)
    return torch.stack([s.real, s.imag], -3)


def _compiled_sweep(f: Tensor, e: Tensor, second: Second, p: Medium) -> Tensor:
    """Return the same from one pass through memory."""
    shape, f, e, given = e.shape, _states(f, 3), _states(e, 2), _optional(second.given)
    out, stress = e.new_empty(len(e), 2, *shape[-2:], dtype=torch.float64), compiled.functions().stress
    numbers = (p.alpha, p.beta / 2, p.zeta, SHIFT, 1 / (1 + p.beta * SHIFT / 8))
    for k in range(len(e)):
        x = None if given is None else given[k].data_ptr()
        places = (f[k].data_ptr(), f[k, 1].data_ptr(), x, e[k].data_ptr())
        stress(second.kind, e[k].numel(), *places, *numbers, out[k].data_ptr())
    return out.reshape(*shape[:-2], 2, *shape[-2:])


def stream(parts: Tensor, table: Tensor) -> Tensor:
    """Return the modes of the stream function from those of two parts of a stress and their factors."""
    if fits(parts, table):
        many, table, n = _states(parts, 3), table.contiguous(), table[0].numel()
        psi, factors = many.new_empty(len(many), *table.shape[1:]), (table.data_ptr(), table[1].data_ptr())
        for k in range(len(many)):
            compiled.functions().stream(
                n, many[k].data_ptr(), many[k, 1].data_ptr(), *factors, psi[k].data_ptr()
            )
        return psi.reshape(*parts.shape[:-3], *parts.shape[-2:])
    return table[0] * parts[..., 0, :, :] + table[1] * parts[..., 1, :, :]


def flow(psi: Tensor, k: tuple[Tensor, Tensor], whole: bool) -> Tensor:
    """Return the modes of u, v, W, E_11, -E_12 of a stream function along a new axis -3; or the last two."""
    if fits(psi, *k):
        many, size, fields = _states(psi, 2), psi.shape[-2:], 5 if whole else 2
        out, numbers = psi.new_empty(len(many), fields, *size), (k[0].data_ptr(), k[1].data_ptr())
        for one, found in zip(many, out, strict=True):
            compiled.functions().flow(int(whole), *size, *numbers, one.data_ptr(), found.data_ptr())
        return out.reshape(*psi.shape[:-2], fields, *size)
    x, y = k
    strain = [-x * y * psi, -(x * x - y * y) / 2 * psi]
    return torch.stack(
        [1j * y * psi, -1j * x * psi, (x * x + y * y) / 2 * psi, *strain] if whole else strain, -3
    )


def fluxes(
    f: Tensor, velocity: Tensor, w: Tensor, e: Tensor, last: Second, zeta: Any
) -> tuple[Tensor, Tensor]:
    """Return what flow carries and how rods turn.

    These are u f_m and v f_m, m = 0..K, (..., 2, K+1, nx, ny), and g f_(m-1) - conj(g) f_(m+1) - 2iW f_m,
    m = 1..K, (..., K, nx, ny), without the factor m; ``last`` is f_(K+1).
    """
    given = [] if last.given is None else [last.given]
    same = _alike(f[..., 0, :, :], velocity[..., 0, :, :], w, e, *given)
    if same and isinstance(zeta, int | float) and fits(f, velocity, w, e, *given):
        return _compiled_fluxes(f, velocity, w, e, last, zeta)
    g = e + zeta * f[..., 1, :, :]
    return velocity.unsqueeze(-3) * f.unsqueeze(-4), turning(f, g, w, last.turned(g))


def _compiled_fluxes(
    f: Tensor, velocity: Tensor, w: Tensor, e: Tensor, last: Second, zeta: float
) -> tuple[Tensor, Tensor]:
    """Return the same from one pass through memory."""
    lead, size, order = f.shape[:-3], f.shape[-2:], f.shape[-3] - 1
    f, velocity, w, e = _states(f, 3), _states(velocity, 3), _states(w, 2), _states(e, 2)
    given, n = _optional(last.given), e[0].numel()
    carried, rest = f.new_empty(len(f), 2, order + 1, *size), f.new_empty(len(f), order, *size)
    for k in range(len(f)):
        x = None if given is None else given[k].data_ptr()
        compiled.functions().fluxes(
            last.kind, n, order, f[k].data_ptr(), velocity[k].data_ptr(), velocity[k, 1].data_ptr(),
            w[k].data_ptr(), e[k].data_ptr(), x, zeta, carried[k].data_ptr(), rest[k].data_ptr(),
        )  # fmt: skip
    return carried.reshape(*lead, *carried.shape[1:]), rest.reshape(*lead, *rest.shape[1:])


def _states(fields: Tensor, axes: int) -> Tensor:
    """Return fields (..., of ``axes`` axes) as a batch with one leading axis, in order in memory."""
    return fields.resolve_conj().contiguous().reshape(-1, *fields.shape[-axes:])


def _optional(given: Tensor | None) -> Tensor | None:
    return None if given is None else _states(given, 2)


def _alike(*fields: Tensor) -> bool:
    """Return whether fields (..., nx, ny) have one shape, and no one is meant for a whole batch."""
    return all(u.shape == fields[0].shape for u in fields[1:])


def turning(f: Tensor, g: Tensor, w: Tensor, beyond: Tensor | None) -> Tensor:
    """Return g f_(m-1) - conj(g) f_(m+1) - 2iW f_m, m >= 1; ``beyond`` is conj(g) f_(K+1), None for zero."""
    g, w = g.unsqueeze(-3), w.unsqueeze(-3)
    # in place: each term costs one pass through memory
    rates = g * f[..., :-1, :, :]
    rates.addcmul_(torch.complex(torch.zeros_like(w), -2 * w), f[..., 1:, :, :])
    if f.shape[-3] > 2:
        rates[..., :-1, :, :].addcmul_(-g.conj(), f[..., 2:, :, :])
    if beyond is not None:
        rates[..., -1, :, :] -= beyond
    return rates


class Divergence:
    """Modes of -∇·(u a_m) + factor_m b_m, dealiased; b and its factors start at the second part.

    Parameters
    ----------
    slope:
        ik_x and ik_y of the modes.
    mask:
        Dealiasing factor.
    factors:
        Complex, (M-1, 1, 1).
    """

    def __init__(self, slope: tuple[Tensor, Tensor], mask: Tensor, factors: Tensor):
        self.mask, self.factors = mask.contiguous(), factors.contiguous()
        self.k = tuple(s.imag.contiguous() for s in slope)
        self._slope, self._turning = [-s * mask for s in slope], factors * mask

    def __call__(self, carried: Tensor, rest: Tensor) -> Tensor:
        """Return (..., M, *modes) from the modes of u a and v a, (..., 2, M, *), and of b, (..., M-1, *)."""
        if fits(carried, rest, self.mask):
            return self._compiled(carried, rest)
        # in place: each term costs one pass through memory
        rates = self._slope[0] * carried[..., 0, :, :, :]
        rates.addcmul_(self._slope[1], carried[..., 1, :, :, :])
        rates[..., 1:, :, :].addcmul_(self._turning, rest)
        return rates

    def _compiled(self, carried: Tensor, rest: Tensor) -> Tensor:
        """Return the same from one pass through memory."""
        lead, many, turned = carried.shape[:-4], _states(carried, 4), _states(rest, 3)
        out = many.new_empty(len(many), *many.shape[2:])
        tables = (self.k[0].data_ptr(), self.k[1].data_ptr(), self.mask.data_ptr())
        for k in range(len(out)):
            compiled.functions().divergence(
                *out.shape[1:], *tables, many[k].data_ptr(), many[k, 1].data_ptr(), turned[k].data_ptr(),
                self.factors.data_ptr(), out[k].data_ptr(),
            )  # fmt: skip
        return out.reshape(*lead, *out.shape[1:])


def fits(*tensors: Tensor) -> bool:
    """Return whether compiled functions serve these arrays."""
    if tensors[0].numel() >= SMALL and torch.get_num_threads() > 1:
        return False
    graph = torch.is_grad_enabled()
    for t in tensors:
        if not t.is_cpu or t.dtype not in DOUBLE or (graph and t.requires_grad):
            return False
    return _ready()


@cache
def _ready() -> bool:
    """Return whether the functions can be compiled here; warn once if not."""
    try:
        compiled.functions()
    except RuntimeError as e:
        warnings.warn(f"compiled products are not usable, torch takes over: {e}", stacklevel=2)
        return False
    return True
