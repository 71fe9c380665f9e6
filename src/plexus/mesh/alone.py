"""A communicator of one rank that needs no MPI, for meshes that are looked at before a run."""

from __future__ import annotations

from typing import Any

import numpy as np


class Alone:
    """Stands for the communicator of a single rank; what is sent arrives where it is."""

    rank, size = 0, 1

    def Alltoall(self, out: np.ndarray, into: np.ndarray) -> None:
        """Receive what is sent."""
        into[...] = out

    def allgather(self, value: Any) -> list[Any]:
        """Return the value of the only rank."""
        return [value]

    def allreduce(self, value: Any, op: object = None) -> Any:
        """Return the value of the only rank."""
        return value

    def bcast(self, value: Any, root: int = 0) -> Any:
        """Return the value."""
        return value
