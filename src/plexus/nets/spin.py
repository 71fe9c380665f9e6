"""A complex number from even and odd scalars, equivariant under reflections by construction.

In a frame that turns with the state a reflection keeps the even scalars p_i and changes the sign of the odd
ones q_j. The result z must become its conjugate, so

    Re z = R(p, q_i q_j),    Im z = Σ_j q_j A_j(p, q_i q_j)

with one dense network for R and all A_j. Rotations act on the frame only.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from plexus.nets.dense import Dense


class SpinNet(nn.Module):
    """R and A_j of ``evens`` even and ``odds`` odd scalars, ``depth`` hidden layers of ``width``."""

    def __init__(
        self, evens: int, odds: int, width: int, depth: int, activation: str = "tanh", seed: int = 0
    ):
        super().__init__()
        self.pairs = [(i, j) for i in range(odds) for j in range(i, odds)]
        sizes = [evens + len(self.pairs), *[width] * depth, 1 + odds]
        self.dense = Dense(sizes, activation, seed, zero_last=True)

    def forward(self, evens: Sequence[Tensor], odds: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Return the real and the imaginary part; all scalars are of one shape."""
        products = [odds[i] * odds[j] for i, j in self.pairs]
        y = self.dense(torch.stack([*evens, *products]))
        imaginary = odds[0] * y[1]
        for j in range(1, len(odds)):
            imaginary = torch.addcmul(imaginary, odds[j], y[j + 1])
        return y[0], imaginary
