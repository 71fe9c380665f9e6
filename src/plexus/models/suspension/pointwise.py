"""What a suspension computes point by point and mode by mode: torch, or compiled C where that fits.

Compiled functions serve states in double precision on one thread without gradients, the members of a batch
one after the other: each phase of an evaluation is then one pass through memory, where torch takes one per
operation. Everything else, gradients, GPUs, single precision, goes the way of torch; tests compare the two.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from itertools import repeat
from typing import Any, NamedTuple

import torch

from plexus.models.suspension.medium import Medium
from plexus_kernels.native import suspension as compiled
from plexus_kernels.native.loader import usable

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
    if numbers and _alike(_shape(f), e, *given) and fits(f, e, *given):
        return _compiled_sweep(f, e, second, p)
    s = (stress(f, e, second, p) - p.beta / 2 * SHIFT * e) / (1 + p.beta * SHIFT / 8)
    return torch.stack([s.real, s.imag], -3)


def _compiled_sweep(f: Tensor, e: Tensor, second: Second, p: Medium) -> Tensor:
    """Return the same from one pass through memory."""
    (*lead, nx, ny), f, e, given = e.shape, _laid(f), _laid(e), _optional(second.given)
    out, function = e.new_empty(*lead, 2, nx, ny, dtype=torch.float64), compiled.functions().stress
    n, part = nx * ny, nx * ny * f.element_size()
    numbers = (p.alpha, p.beta / 2, p.zeta, SHIFT, 1 / (1 + p.beta * SHIFT / 8))
    for to, moments, strain, x in zip(
        _places(out, 3), _places(f, 3), _places(e, 2), _places_of(given), strict=False
    ):
        function(second.kind, n, moments, moments + part, x, strain, *numbers, to)
    return out


def stream(parts: Tensor, table: Tensor) -> Tensor:
    """Return the modes of the stream function from those of two parts of a stress and their factors."""
    if fits(parts, table):
        parts, table, (nx, ny) = _laid(parts), table.contiguous(), table.shape[-2:]
        psi, n = parts.new_empty(*parts.shape[:-3], nx, ny), nx * ny
        part, first = n * parts.element_size(), table.data_ptr()
        factors, function = (first, first + n * table.element_size()), compiled.functions().stream
        for to, one in zip(_places(psi, 2), _places(parts, 3), strict=True):
            function(n, one, one + part, *factors, to)
        return psi
    return table[0] * parts[..., 0, :, :] + table[1] * parts[..., 1, :, :]


def flow(psi: Tensor, k: tuple[Tensor, Tensor], whole: bool) -> Tensor:
    """Return the modes of u, v, W, E_11, -E_12 of a stream function along a new axis -3; or the last two."""
    if fits(psi, *k):
        psi, size = _laid(psi), psi.shape[-2:]
        out = psi.new_empty(*psi.shape[:-2], 5 if whole else 2, *size)
        numbers, function = (k[0].data_ptr(), k[1].data_ptr()), compiled.functions().flow
        for to, one in zip(_places(out, 3), _places(psi, 2), strict=True):
            function(int(whole), *size, *numbers, one, to)
        return out
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
    same = _shape(velocity) == _shape(f) and _alike(_shape(f), w, e, *given)
    if same and isinstance(zeta, int | float) and fits(f, velocity, w, e, *given):
        return _compiled_fluxes(f, velocity, w, e, last, zeta)
    g = e + zeta * f[..., 1, :, :]
    return velocity.unsqueeze(-3) * f.unsqueeze(-4), turning(f, g, w, last.turned(g))


def _compiled_fluxes(
    f: Tensor, velocity: Tensor, w: Tensor, e: Tensor, last: Second, zeta: float
) -> tuple[Tensor, Tensor]:
    """Return the same from one pass through memory."""
    (*lead, parts, nx, ny), f, velocity, w, e = f.shape, _laid(f), _laid(velocity), _laid(w), _laid(e)
    given, n, order = _optional(last.given), nx * ny, parts - 1
    carried, rest = f.new_empty(*lead, 2, parts, nx, ny), f.new_empty(*lead, order, nx, ny)
    part, function = n * velocity.element_size(), compiled.functions().fluxes
    sources = _places(f, 3), _places(velocity, 3), _places(w, 2), _places(e, 2), _places_of(given)
    for to, turned, moments, u, spin, strain, x in zip(
        _places(carried, 4), _places(rest, 3), *sources, strict=False
    ):
        function(last.kind, n, order, moments, u, u + part, spin, strain, x, zeta, to, turned)
    return carried, rest


def _laid(fields: Tensor) -> Tensor:
    """Return fields in order in memory."""
    return fields.resolve_conj().contiguous()


def _places(fields: Tensor, axes: int) -> Iterable[int]:
    """Return the address of each member of fields (..., of ``axes`` axes) that lie in order."""
    start = fields.data_ptr()
    if fields.dim() == axes:
        return (start,)
    return range(start, start + fields.nbytes, math.prod(fields.shape[-axes:]) * fields.element_size())


def _optional(given: Tensor | None) -> Tensor | None:
    return None if given is None else _laid(given)


def _places_of(given: Tensor | None) -> Iterable[int | None]:
    """Return the addresses of the members of a moment; without one, none for any number of members."""
    return repeat(None) if given is None else _places(given, 2)


def _shape(parts: Tensor) -> tuple[int, ...]:
    """Return the shape of one of the parts of (..., parts, nx, ny)."""
    return parts.shape[:-3] + parts.shape[-2:]


def _alike(shape: tuple[int, ...], *fields: Tensor) -> bool:
    """Return whether fields (..., nx, ny) have one shape, and no one is meant for a whole batch."""
    return all(u.shape == shape for u in fields)


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
        carried, rest, (_, *size) = _laid(carried), _laid(rest), carried.shape[-4:]
        out = carried.new_empty(*carried.shape[:-4], *size)
        tables = (self.k[0].data_ptr(), self.k[1].data_ptr(), self.mask.data_ptr())
        part, function = math.prod(size) * carried.element_size(), compiled.functions().divergence
        for to, one, turned in zip(_places(out, 3), _places(carried, 4), _places(rest, 3), strict=True):
            function(*size, *tables, one, one + part, turned, self.factors.data_ptr(), to)
        return out


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
    return usable(compiled.functions, "compiled products are not usable, torch takes over")
