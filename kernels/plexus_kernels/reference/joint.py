"""Element matrices of what couples the points of a cell, added to the values of a sparse pattern.

A_ij^ab = Σ_kl B_iak W_kl B_jbl
"""

from __future__ import annotations

import numpy as np

from plexus_kernels.tables import Floats


def joint(b: Floats, weight: Floats, slots: np.ndarray, values: Floats) -> Floats:
    """Add the element matrices to ``values`` in place and return it.

    Parameters
    ----------
    b
        What each unknown contributes to each mode of its cell, (C, n, m, k).
    weight
        W, (C, k, k).
    slots
        Pair of each element entry, (C, n, n); negative entries are skipped.
    values
        Values of the pairs, (n_pairs, m, m).
    """
    A = np.einsum("ciak,ckl,cjbl->cijab", b, weight, b)
    kept = slots >= 0
    np.add.at(values, slots[kept], A[kept])
    return values
