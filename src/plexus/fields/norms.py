"""Euclidean norms of distributed numbers of any size, whose squares need not be numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from mpi4py import MPI

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


def norm(comm: Comm, values: np.ndarray) -> float:
    """Return ‖v‖ of the parts ``values`` (n,) of all ranks, scaled by the largest entry. Collective."""
    top = float(comm.allreduce(float(np.abs(values).max(initial=0.0)), MPI.MAX))
    if not 0 < top < np.inf:
        return top
    scaled = values / top
    return top * float(comm.allreduce(float(scaled @ scaled))) ** 0.5
