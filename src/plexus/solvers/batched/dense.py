"""Algebra of batches of small dense matrices: factorised systems and Jacobians."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

Tensor = torch.Tensor
SMALL = 1e-8
"""Residual, relative to the right side, from which on a solution is none: the matrix is singular."""

RANK = 1e-8
"""Part of the largest singular value from which on columns are not independent."""


def frame(columns: Tensor) -> tuple[Tensor, Tensor]:
    """Return T (M, n, n) with columns A T that are orthonormal, and which of them count, (M, n).

    A = QR of columns of norm one, R = U Σ Vᵀ, T = V Σ⁻¹. Directions whose singular value is below `RANK`
    times the largest do not count, and are divided by the latter: A T is next to nothing there.

    Parameters
    ----------
    columns
        A (M, m, n), m >= n.
    """
    # of what is not finite there is no decomposition
    columns = columns.where(torch.isfinite(columns).all(1, keepdim=True).all(2, keepdim=True), 0.0)
    size = torch.linalg.vector_norm(columns, dim=1, keepdim=True)
    size = torch.where(size > 0, size, 1.0)
    _, r = torch.linalg.qr(columns / size, mode="r")
    _, s, v = torch.linalg.svd(r)
    seen, largest = s > RANK * s[:, :1], torch.where(s[:, :1] > 0, s[:, :1], 1.0)
    return v.mT / torch.where(seen, s, largest)[:, None] / size.mT, seen


def lu(matrix: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
    """Return x (M, n) with A x = b, and which samples have one: the true residual is looked at.

    Parameters
    ----------
    matrix, right
        A (M, n, n) and b (M, n).
    """
    factors, pivots, _ = torch.linalg.lu_factor_ex(matrix)
    x = torch.linalg.lu_solve(factors, pivots, right.unsqueeze(-1)).squeeze(-1)
    defect = (torch.einsum("mij,mj->mi", matrix, x) - right).abs().amax(-1)
    # no comparison takes what is not a number for small
    return x, defect <= SMALL * right.abs().amax(-1)


def of_batch(f: Callable[[Tensor], Tensor], u: Tensor) -> Tensor:
    """Return ∂f_m/∂u_m (M, n, n) of a function of all samples, u (M, n) -> (M, n), which do not couple."""
    n = u.shape[-1]
    directions = torch.eye(n, dtype=u.dtype, device=u.device)[:, None].expand(n, *u.shape)
    found: Tensor = torch.func.vmap(lambda v: torch.func.jvp(f, (u,), (v,))[1])(directions)
    return found.movedim(0, -1)


def jacobians(
    f: Callable[..., Tensor], u: Tensor, theta: Sequence[Tensor] = (), axes: Sequence[int | None] = ()
) -> Tensor:
    """Return ∂f/∂u (M, m, n) of a function of one sample, u (n,) and θ -> (m,), by forward differentiation.

    ``axes`` are those of `plexus.solvers.batched.base.Batch`.
    """
    found: Tensor = torch.func.vmap(torch.func.jacfwd(f), (0, *axes))(u, *theta)
    return found
