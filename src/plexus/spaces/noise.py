"""White noise on a periodic grid that tells the members of an ensemble apart.

    v_k = σ P ξ_k / s,   s² = Σ_(n != 0) mask(n)² / N

with ξ_k standard normal numbers at the N grid points and P the part of them that dealiasing keeps, without
its mean. Division by s gives v_k the standard deviation σ. No mean: what a model conserves is the same for
all members.

Numbers are drawn for the whole grid by seed and member: the same on any number of ranks and in any part of an
ensemble.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from plexus.spaces.fourier import Fourier


class Noise:
    """Fields that are added to those of an initial state, or by which it is changed.

    Parameters
    ----------
    space
        Fields of the box, real or complex.
    members
        Numbers of the members.
    size
        Standard deviation σ.
    seed
        Seed of all members.
    """

    def __init__(self, space: Fourier, members: Sequence[int], size: float, seed: int):
        self.space, self.members, self.size, self.seed = space.sibling(real=True), members, size, seed

    def __call__(self, fields: int) -> torch.Tensor:
        """Return real fields on the own grid points, (members, fields, *shape). Collective."""
        space = self.space
        kept = space.mask * (space.k2 > 0)
        share = float(space.sum((space.weight * kept**2).sum())) / math.prod(space.cells)
        found = torch.zeros((len(self.members), fields, *space.shape), dtype=space.dtype, device=space.device)
        if self.size == 0:
            return found
        for place, k in enumerate(self.members):
            # one member at a time: every rank draws whole grids
            white = np.random.default_rng([self.seed, k]).standard_normal((fields, *space.cells))
            modes = space.forward(space.own(torch.from_numpy(white).to(space.dtype)))
            found[place] = space.inverse(modes * (kept * (self.size / math.sqrt(share))))
        return found
