"""What a suspension computes point by point and mode by mode: torch, or compiled C where that fits.

Compiled functions serve one state in double precision on one thread without gradients: each phase of an
evaluation is then one pass through memory, where torch takes one per operation. Everything else, batches,
gradients, GPUs, single precision, goes the way of torch; tests compare the two.
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
    if numbers and f.dim() == 3 and fits(f, e, *given):
        f, e, given = (
            f.contiguous(),
            e.resolve_conj().contiguous(),
            [t.resolve_conj().contiguous() for t in given],
        )
        out, n = torch.empty(2, *e.shape, dtype=torch.float64), e.numel()
        compiled.functions().stress(
            second.kind, n, f.data_ptr(), f[1].data_ptr(), given[0].data_ptr() if given else None,
            e.data_ptr(), p.alpha, p.beta / 2, p.zeta, SHIFT, 1 / (1 + p.beta * SHIFT / 8), out.data_ptr(),
        )  # fmt: skip
        return out
    s = (stress(f, e, second, p) - p.beta / 2 * SHIFT * e) / (1 + p.beta * SHIFT / 8)
    return torch.stack([s.real, s.imag], -3)


def stream(parts: Tensor, table: Tensor) -> Tensor:
    """Return the modes of the stream function from those of two parts of a stress and their factors."""
    if parts.dim() == 3 and fits(parts, table):
        parts, table, n = parts.contiguous(), table.contiguous(), table[0].numel()
        psi = torch.empty_like(parts[0])
        compiled.functions().stream(
            n, parts.data_ptr(), parts[1].data_ptr(), table.data_ptr(), table[1].data_ptr(), psi.data_ptr()
        )
        return psi
    return table[0] * parts[..., 0, :, :] + table[1] * parts[..., 1, :, :]


def flow(psi: Tensor, k: tuple[Tensor, Tensor], whole: bool) -> Tensor:
    """Return the modes of u, v, W, E_11, -E_12 of a stream function along a new axis -3; or the last two."""
    if psi.dim() == 2 and fits(psi, *k):
        psi, out = psi.contiguous(), psi.new_empty(5 if whole else 2, *psi.shape)
        addresses = (k[0].data_ptr(), k[1].data_ptr(), psi.data_ptr(), out.data_ptr())
        compiled.functions().flow(int(whole), *psi.shape, *addresses)
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
    if f.dim() == 3 and isinstance(zeta, int | float) and fits(f, velocity, w, e, *given):
        return _compiled_fluxes(f, velocity, w, e, last, zeta)
    g = e + zeta * f[..., 1, :, :]
    return velocity.unsqueeze(-3) * f.unsqueeze(-4), turning(f, g, w, last.turned(g))


def _compiled_fluxes(
    f: Tensor, velocity: Tensor, w: Tensor, e: Tensor, last: Second, zeta: float
) -> tuple[Tensor, Tensor]:
    """Return the same from one pass through memory."""
    f, velocity, w = f.contiguous(), velocity.contiguous(), w.contiguous()
    e, given = (
        e.resolve_conj().contiguous(),
        None if last.given is None else last.given.resolve_conj().contiguous(),
    )
    carried, rest, order = f.new_empty(2, *f.shape), torch.empty_like(f[1:]), len(f) - 1
    compiled.functions().fluxes(
        last.kind, e.numel(), order, f.data_ptr(), velocity.data_ptr(), velocity[1].data_ptr(), w.data_ptr(),
        e.data_ptr(), None if given is None else given.data_ptr(), zeta, carried.data_ptr(), rest.data_ptr(),
    )  # fmt: skip
    return carried, rest


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
        if carried.dim() == 4 and fits(carried, rest, self.mask):
            carried, rest = carried.contiguous(), rest.contiguous()
            out = torch.empty_like(carried[0])
            compiled.functions().divergence(
                *out.shape, self.k[0].data_ptr(), self.k[1].data_ptr(), self.mask.data_ptr(),
                carried.data_ptr(), carried[1].data_ptr(), rest.data_ptr(), self.factors.data_ptr(),
                out.data_ptr(),
            )  # fmt: skip
            return out
        # in place: each term costs one pass through memory
        rates = self._slope[0] * carried[..., 0, :, :, :]
        rates.addcmul_(self._slope[1], carried[..., 1, :, :, :])
        rates[..., 1:, :, :].addcmul_(self._turning, rest)
        return rates


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
