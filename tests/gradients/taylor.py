"""Taylor's remainder: how far a function is from its value and gradient at a point, for shrinking steps.

    R(ε) = |J(θ + ε d) - J(θ) - ε g·d|  ~  ε²

with a slope of 2 if g is the gradient, and of 1 if it is not. Ranks hold parts of J, and of g·d.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from mpi4py import MPI

SELF = MPI.COMM_SELF


def gradients(loss: Callable[..., torch.Tensor], point: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return the gradient of this rank's part with respect to each tensor. Collective."""
    leaves = [p.detach().clone().requires_grad_() for p in point]
    return list(torch.autograd.grad(loss(*leaves), leaves, materialize_grads=True))


def remainders(
    loss: Callable[..., torch.Tensor],
    point: Sequence[torch.Tensor],
    directions: Sequence[torch.Tensor],
    steps: Sequence[float],
    comm: MPI.Comm = SELF,
) -> np.ndarray:
    """Return R at each ε. Collective."""
    parts = zip(gradients(loss, point), directions, strict=True)
    slope = comm.allreduce(float(sum((g.conj() * d).real.sum() for g, d in parts)))

    def value(eps: float) -> float:
        with torch.no_grad():
            moved = [p + eps * d for p, d in zip(point, directions, strict=True)]
            return comm.allreduce(float(loss(*moved)))

    start = value(0.0)
    return np.array([abs(value(eps) - start - eps * slope) for eps in steps])


def slope(
    loss: Callable[..., torch.Tensor],
    point: Sequence[torch.Tensor],
    largest: float = 1e-2,
    comm: MPI.Comm = SELF,
    directions: Sequence[torch.Tensor] | None = None,
) -> float:
    """Return the slope of log R over three decades of ε below ``largest``. Collective."""
    draw = torch.Generator().manual_seed(7)
    chosen = directions or [torch.randn(p.shape, generator=draw, dtype=p.dtype) for p in point]
    steps = largest * np.logspace(0, -3, 4)
    found = remainders(loss, point, chosen, steps, comm)
    assert found.min() > 0, "a function that is linear tells nothing"
    return float(np.polyfit(np.log(steps), np.log(found), 1)[0])


def pulled_and_pushed(
    function: Callable[..., torch.Tensor], point: Sequence[torch.Tensor], seed: int = 3
) -> tuple[float, float]:
    """Return Jᵀw·v and w·Jv of a function of tensors for random w and v, this rank's parts. Collective."""
    draw = torch.Generator().manual_seed(seed)
    leaves = [p.detach().clone().requires_grad_() for p in point]
    image = function(*leaves)
    w = torch.randn(image.shape, generator=draw, dtype=image.dtype).requires_grad_()
    v = [torch.randn(p.shape, generator=draw, dtype=p.dtype) for p in leaves]
    slopes = torch.autograd.grad(image, leaves, w, create_graph=True, materialize_grads=True)
    (pushed,) = torch.autograd.grad(slopes, w, v)
    return (
        float(sum((s.detach() * d).sum() for s, d in zip(slopes, v, strict=True))),
        float((w.detach() * pushed).sum()),
    )
