"""Cell means on the fixed grid as rows of a projection: the rival of bases that move.

What a conservation law carries along has a slow decay of singular values here, whatever the basis: M.
Ohlberger, S. Rave, Proc. Algoritmy (2016) 1, arXiv:1511.02021.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from plexus.models.volumes.scheme import Scheme

Array = np.ndarray


class FixedCells:
    """The means of this rank's cells and their rates by the scheme of the full model.

    Parameters
    ----------
    scheme : Scheme
        Rates of the means, of one unknown.
    start : array (n here,)
        Means about which the basis stands.
    """

    def __init__(self, scheme: Scheme, start: Array):
        self.scheme, self.origin = scheme, start
        grid = scheme.slab.grid
        self.weights = np.full(len(start), 1 / grid.n_global_cells)

    def _stack(self, z: Array) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(z)).reshape(-1, 1, *self.scheme.slab.shape)

    def rates(self, z: Array, t: float) -> Array:
        """Return the rates of the means (n here,). Collective."""
        with torch.no_grad():
            return self.scheme.rates(self._stack(z), t).reshape(-1).numpy()

    def slopes(self, z: Array, t: float, directions: Array) -> Array:
        """Return the derivatives of the rates along directions (n here, k), (n here, k). Collective."""
        reach, k = self.scheme.reach, directions.shape[1]
        # the exchange of layers is linear, so that directions are exchanged like means
        at = self.scheme.slab.extended(self._stack(z), reach)
        along = self.scheme.slab.extended(self._stack(directions.T), reach)
        point = at.expand(along.shape).clone()
        slope = torch.func.jvp(lambda u: self.scheme.local(u, t), (point,), (along,))[1]
        return slope.reshape(k, -1).T.numpy()
