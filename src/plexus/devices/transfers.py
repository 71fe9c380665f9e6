"""Counters of the copies between host and device memory; they end up in ``summary.json``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mpi4py.MPI import Comm


@dataclass
class Transfers:
    """Number of copies, bytes moved and seconds spent, per direction."""

    to_device: int = 0
    to_host: int = 0
    bytes_to_device: int = 0
    bytes_to_host: int = 0
    seconds: float = 0.0

    @contextmanager
    def timed(self, direction: str, n_bytes: int) -> Iterator[None]:
        """Count one copy of ``n_bytes``; ``direction`` is ``to_device`` or ``to_host``."""
        start = perf_counter()
        yield
        self.seconds += perf_counter() - start
        setattr(self, direction, getattr(self, direction) + 1)
        setattr(self, f"bytes_{direction}", getattr(self, f"bytes_{direction}") + n_bytes)

    def as_dict(self) -> dict[str, float]:
        """Return the counters by name."""
        return asdict(self)

    def total(self, comm: Comm) -> dict[str, float]:
        """Return the counters summed over ranks. Collective."""
        parts = comm.allgather(self.as_dict())
        return {name: sum(part[name] for part in parts) for name in parts[0]}


transfers = Transfers()
"""The counters of this process."""
