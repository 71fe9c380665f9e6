"""Moments of a distribution of rods in the plane as complex numbers of even spin.

    f_m(x) = ∫ e^{-2imθ} Ψ(x, θ) dθ,   f_0 = c,   f_(-m) = conj f_m

A symmetric tensor A of order two has the spin A_11 - A_22 - 2i A_12, so that f_1 is the spin of D = ⟨pp⟩ and
e = E_11 - i E_12 half the spin of the strain rate E, which has no trace. With W half the vorticity and
g = e + ζ f_1, a rod turns at the rate W - Im(g e^{2iθ}), and

    ∂f_m/∂t + ∇·(u f_m) = d_T ∇²f_m - 4m² d_R f_m - 2imW f_m + m (g f_(m-1) - conj(g) f_(m+1)).

The second moment enters the stress through S:T alone, S = ⟨pppp⟩, T = E + 2ζD, whose spin is
ζ c f_1 + (g c + conj(g) f_2)/2. Arrays are (..., M, nx, ny) with moments along axis -3, or (..., nx, ny).
"""

from __future__ import annotations

import torch

Tensor = torch.Tensor


def second_order(c: Tensor, f1: Tensor) -> Tensor:
    """Return D = ⟨pp⟩ as D_11, D_12, D_21, D_22 along a new axis -3."""
    xy = -f1.imag / 2
    return torch.stack([(c + f1.real) / 2, xy, xy, (c - f1.real) / 2], -3)


def traceless(spin: Tensor) -> Tensor:
    """Return the traceless tensor of a spin A_11 - A_22 - 2i A_12, components along a new axis -3."""
    xx, xy = spin.real / 2, -spin.imag / 2
    return torch.stack([xx, xy, xy, -xx], -3)


def fourth_order(c: Tensor, f1: Tensor, f2: Tensor) -> Tensor:
    """Return S = ⟨pppp⟩ as S_1111, S_1112, S_1122, S_1222, S_2222 along a new axis -3."""
    odd, even = -f1.imag / 4, f2.imag / 8
    return torch.stack(
        [
            (3 * c + 4 * f1.real + f2.real) / 8,
            odd - even,
            (c - f2.real) / 8,
            odd + even,
            (3 * c - 4 * f1.real + f2.real) / 8,
        ],
        -3,
    )


def contract(s: Tensor, a: Tensor) -> Tensor:
    """Return S:A of `fourth_order` and a symmetric tensor (..., 4, nx, ny), components along axis -3."""
    s1111, s1112, s1122, s1222, s2222 = s.unbind(-3)
    xx, xy, _, yy = a.unbind(-3)
    first = s1111 * xx + 2 * s1112 * xy + s1122 * yy
    mixed = s1112 * xx + 2 * s1122 * xy + s1222 * yy
    return torch.stack([first, mixed, mixed, s1122 * xx + 2 * s1222 * xy + s2222 * yy], -3)


def reflections(f: Tensor) -> Tensor:
    """Return the largest |ρ_m| of the reflection coefficients of moments f_0..f_K, (..., nx, ny).

    A non-negative Ψ with these moments exists if and only if c >= 0 and every |ρ_m| <= 1 (their Toeplitz
    matrix is then positive semi-definite); infinite where c <= 0. The coefficients come from Szegő's
    recursion for polynomials φ_m that are orthogonal on the circle z = e^{-2iθ}, where f_j = c ⟨z^j⟩. Once
    one reaches 1 the later ones mean nothing and are left out.
    """
    c = f[..., 0, :, :].real
    moments = f / torch.where(c > 0, c, 1.0).unsqueeze(-3)
    phi = [torch.ones_like(moments[..., 0, :, :])]  # coefficients from the lowest power up
    norm, worst = torch.ones_like(c), torch.zeros_like(c)
    for _ in range(f.shape[-3] - 1):
        # φ_m = z φ_(m-1) - ρ φ*_(m-1) has no overlap with 1, and ⟨φ*_(m-1)⟩ = |φ_(m-1)|²
        overlap = sum(a * moments[..., j + 1, :, :] for j, a in enumerate(phi))
        rho = torch.where(worst < 1, overlap / norm, 0)
        worst = torch.maximum(worst, rho.abs())
        norm = norm * (1 - rho.abs() ** 2)
        reverse, zero = [a.conj() for a in reversed(phi)], torch.zeros_like(phi[0])
        phi = [x - rho * y for x, y in zip([zero, *phi], [*reverse, zero], strict=True)]
    return torch.where(c > 0, worst, torch.inf)
